//! What an analysis measures and whose idea it was, in a paragraph that a paper can take: a list of data.

/// How an analysis works.
pub(super) struct Method {
    pub(super) analysis: &'static str,
    /// How the headline is read, in a sentence or two.
    pub(super) reading: &'static str,
    /// The paragraph.
    pub(super) text: &'static str,
    /// Keys of [`REFERENCES`], in the order of their mention.
    pub(super) cites: &'static [&'static str],
}

/// A work that is cited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) key: &'static str,
    pub(super) text: &'static str,
    pub(super) url: &'static str,
}

/// Of every analysis that is built in.
pub(super) const METHODS: &[Method] = &[
    Method {
        analysis: "noise-sensitivity",
        reading: "RFS lies between \u{2212}1 and 1. Above 0 the network loses more by noise on the object than by noise \
                  behind it: it rests on the object. Backgrounds are mostly larger and so get more noise; mode=matched gives \
                  both the same area and energy.",
        text: "The same standard normal field, scaled to several levels, is added once to the object's pixels and once to all \
               others, and the picture is clipped. With a_fg and a_bg the class-balanced accuracies under either noise, \
               averaged over levels and trials, and a their mean, the relative foreground sensitivity is \
               RFS = (a_bg \u{2212} a_fg) / (2 min(a, 1 \u{2212} a)); iRFS is the same of one image with the probability of \
               its true class, and the floored iRFS divides by no less than the floor. The definitions are those of the \
               RIVAL10 study. Noise comes from the counter generator Philox, keyed by seed, image content and trial, so that \
               every network sees the same. Intervals are bootstrap percentiles over images resampled within their class, \
               and BCa where named; two networks are compared by McNemar's exact test at each level, by the bootstrap of \
               their difference and by a sign-flip permutation test, with Holm's adjustment.",
        cites: &["rival10", "philox", "bca", "mcnemar", "holm"],
    },
    Method {
        analysis: "ablation",
        reading: "A drop is accuracy, or probability of the true class, that is lost when something is taken away. An \
                  attribute matters only as far as it costs more than as many pixels elsewhere in the object.",
        text: "The background, the object or the mask of an attribute is replaced by a fill (gray 0.5 as in the RIVAL10 \
               study, or the mean colour, a blur, noise, a tile or a harmonic surface). Beside each attribute stands a random \
               region of the same area in the same object as its control. Backgrounds are swapped within a class and among \
               all classes as in ImageNet-9; the difference of the two accuracies is the background gap. Shapley values, \
               where they were asked for, are exact over the annotated regions. Means are class-balanced; intervals are \
               bootstrap percentiles over images within classes; tests are sign-flip permutations with Holm's adjustment.",
        cites: &["rival10", "in9", "shapley", "holm"],
    },
    Method {
        analysis: "saliency-alignment",
        reading: "Alignment says how much of where the map is bright lies on the object. Compare it with the baselines that \
                  need no network: a map that is merely central scores well where objects are central.",
        text: "Saliency maps of the explained class are compared with the object's mask: IoU of the map above half of its \
               maximum, the difference of its density inside and outside (delta density), average precision over pixels, \
               saliency precision (the share of the map on the object: the energy-based pointing game) and saliency recall, \
               as the RIVAL10 study defines them. The default method is Grad-CAM. Statistics are grouped by predicted class \
               and averaged over classes without weights; intervals are bootstrap percentiles over images within classes. \
               Cascading randomisation, insertion and deletion, where they were asked for, say whether the maps depend on \
               the network and whether what they mark matters to it.",
        cites: &["rival10", "gradcam", "scorecam", "sanity", "rise"],
    },
    Method {
        analysis: "spurious-features",
        reading: "A finding is a class and a kind of background on which the network relies: it was discovered on one part \
                  of the images and confirmed by intervention on another.",
        text: "Candidates are discovered on one split: images of a predicted class whose saliency falls least on the object, \
               or which lose most by noise on the background, grouped by the network's own features of what lies under the \
               peak. Each candidate is then frozen and tested on another split by intervention: the region is pasted on \
               images of other classes, and backgrounds are swapped, against other backgrounds and random regions of the same \
               area. A finding's effect on the odds of the class exceeds these controls' with an interval that excludes 0, and \
               its false discovery rate over all candidates is controlled by Benjamini and Hochberg's procedure. What removing \
               the region does is shown beside it, and decides nothing.",
        cites: &["rival10", "salient", "bh"],
    },
    Method {
        analysis: "neural-features",
        reading: "Each attribute is matched with the unit of the network that marks it best on the training images; scores \
                  are of the test images.",
        text: "Units of the target layer are compared with the masks of attributes by IoU above a threshold that is fixed on \
               the training split, by average precision inside the mask, and by the AUROC of the pooled unit for the \
               attribute's presence. The best unit of each attribute is chosen on the training split and scored on the test \
               split. A unit's importance for a class is its mean over correctly classified images times the head's weight; \
               its spurious gap is the accuracy on the images of the class that activate it most less that on those that \
               activate it least. Concept directions are linear classifiers on features.",
        cites: &["rival10", "dissection", "salient", "cav"],
    },
    Method {
        analysis: "mask-agreement",
        reading: "How far people agree is the ceiling of what a network can be held to.",
        text: "Every two annotators of an object are compared: masks by IoU, Dice, boundary IoU (a band of 2% of the diagonal), \
               the 95th percentile of the Hausdorff distance and the normalised surface distance; the presence of attributes \
               by raw agreement, Cohen's and Fleiss' kappa, Krippendorff's alpha and Gwet's AC1. Two empty masks say nothing \
               and are left out; one empty mask is no agreement at all.",
        cites: &["boundary", "nsd", "kappa", "alpha", "ac1"],
    },
];

/// Every work that a method cites.
pub(super) const REFERENCES: &[Reference] = &[
    Reference {
        key: "rival10",
        text: "M. Moayeri, P. Pope, Y. Balaji, S. Feizi. A Comprehensive Study of Image Classification Model Sensitivity to \
               Foregrounds, Backgrounds, and Visual Attributes. CVPR 2022.",
        url: "https://arxiv.org/abs/2201.10766",
    },
    Reference {
        key: "philox",
        text: "J. Salmon, M. Moraes, R. Dror, D. Shaw. Parallel Random Numbers: As Easy as 1, 2, 3. SC 2011.",
        url: "https://doi.org/10.1145/2063384.2063405",
    },
    Reference {
        key: "bca",
        text: "B. Efron. Better Bootstrap Confidence Intervals. JASA 82 (397), 1987.",
        url: "https://doi.org/10.1080/01621459.1987.10478410",
    },
    Reference {
        key: "mcnemar",
        text: "Q. McNemar. Note on the Sampling Error of the Difference between Correlated Proportions or Percentages. \
               Psychometrika 12, 1947.",
        url: "https://doi.org/10.1007/BF02295996",
    },
    Reference {
        key: "holm",
        text: "S. Holm. A Simple Sequentially Rejective Multiple Test Procedure. Scandinavian Journal of Statistics 6, 1979.",
        url: "https://www.jstor.org/stable/4615733",
    },
    Reference {
        key: "bh",
        text: "Y. Benjamini, Y. Hochberg. Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple \
               Testing. JRSS B 57, 1995.",
        url: "https://doi.org/10.1111/j.2517-6161.1995.tb02031.x",
    },
    Reference {
        key: "in9",
        text: "K. Xiao, L. Engstrom, A. Ilyas, A. Madry. Noise or Signal: The Role of Image Backgrounds in Object Recognition. \
               ICLR 2021.",
        url: "https://arxiv.org/abs/2006.09994",
    },
    Reference {
        key: "shapley",
        text: "L. Shapley. A Value for n-Person Games. Contributions to the Theory of Games II, 1953.",
        url: "https://doi.org/10.1515/9781400881970-018",
    },
    Reference {
        key: "gradcam",
        text: "R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra. Grad-CAM: Visual Explanations from Deep \
               Networks via Gradient-based Localization. ICCV 2017.",
        url: "https://arxiv.org/abs/1610.02391",
    },
    Reference {
        key: "scorecam",
        text: "H. Wang, Z. Wang, M. Du, F. Yang, Z. Zhang, S. Ding, P. Mardziel, X. Hu. Score-CAM: Score-Weighted Visual \
               Explanations for Convolutional Neural Networks. CVPR Workshops 2020.",
        url: "https://arxiv.org/abs/1910.01279",
    },
    Reference {
        key: "sanity",
        text: "J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim. Sanity Checks for Saliency Maps. NeurIPS 2018.",
        url: "https://arxiv.org/abs/1810.03292",
    },
    Reference {
        key: "rise",
        text: "V. Petsiuk, A. Das, K. Saenko. RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC 2018.",
        url: "https://arxiv.org/abs/1806.07421",
    },
    Reference {
        key: "salient",
        text: "S. Singla, S. Feizi. Salient ImageNet: How to Discover Spurious Features in Deep Learning? ICLR 2022.",
        url: "https://arxiv.org/abs/2110.04301",
    },
    Reference {
        key: "dissection",
        text: "D. Bau, B. Zhou, A. Khosla, A. Oliva, A. Torralba. Network Dissection: Quantifying Interpretability of Deep \
               Visual Representations. CVPR 2017.",
        url: "https://arxiv.org/abs/1704.05796",
    },
    Reference {
        key: "cav",
        text: "B. Kim, M. Wattenberg, J. Gilmer, C. Cai, J. Wexler, F. Viegas, R. Sayres. Interpretability Beyond Feature \
               Attribution: Quantitative Testing with Concept Activation Vectors (TCAV). ICML 2018.",
        url: "https://arxiv.org/abs/1711.11279",
    },
    Reference {
        key: "boundary",
        text: "B. Cheng, R. Girshick, P. Doll\u{e1}r, A. Berg, A. Kirillov. Boundary IoU: Improving Object-Centric Image \
               Segmentation Evaluation. CVPR 2021.",
        url: "https://arxiv.org/abs/2103.16562",
    },
    Reference {
        key: "nsd",
        text: "S. Nikolov et al. Deep Learning to Achieve Clinically Applicable Segmentation of Head and Neck Anatomy for \
               Radiotherapy. 2018.",
        url: "https://arxiv.org/abs/1809.04430",
    },
    Reference {
        key: "kappa",
        text: "J. Cohen. A Coefficient of Agreement for Nominal Scales. Educational and Psychological Measurement 20, 1960.",
        url: "https://doi.org/10.1177/001316446002000104",
    },
    Reference {
        key: "alpha",
        text: "A. Hayes, K. Krippendorff. Answering the Call for a Standard Reliability Measure for Coding Data. Communication \
               Methods and Measures 1, 2007.",
        url: "https://doi.org/10.1080/19312450709336664",
    },
    Reference {
        key: "ac1",
        text: "K. Gwet. Computing Inter-rater Reliability and Its Variance in the Presence of High Agreement. British Journal \
               of Mathematical and Statistical Psychology 61, 2008.",
        url: "https://doi.org/10.1348/000711006X126600",
    },
    Reference {
        key: "bound",
        text: "C. Clopper, E. Pearson. The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial. \
               Biometrika 26, 1934.",
        url: "https://doi.org/10.1093/biomet/26.4.404",
    },
];

/// The method of `analysis`, if it is known.
pub(super) fn find(analysis: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.analysis == analysis)
}

/// The work called `key`.
pub(super) fn reference(key: &str) -> Option<&'static Reference> {
    REFERENCES.iter().find(|reference| reference.key == key)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_work_that_is_cited_is_listed_once_and_every_one_listed_is_cited() {
        let keys: HashSet<&str> = REFERENCES.iter().map(|reference| reference.key).collect();
        assert_eq!(keys.len(), REFERENCES.len());
        let mut cited: HashSet<&str> = METHODS.iter().flat_map(|method| method.cites).copied().collect();
        // The page that is signed cites how its bound is made.
        cited.insert("bound");
        assert_eq!(cited, keys);
        assert!(REFERENCES.iter().all(|reference| reference.url.starts_with("https://")));
    }
}

//! The sheet of `audit --require`: what was required, what a sample says, and what it was made from.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use rival10_sdk::{ImageId, Table};
use sha2::{Digest, Sha256};

use super::{
    agreement::{notes, tables, worst},
    recorded::quoted,
    title,
};
use crate::{
    domain::Progress,
    durable,
    ops::{
        AuditRequest, OpsError, Project,
        audit::{Audit, audit},
        dump,
    },
    report::{self, SignOff},
    store::ImageFilter,
};

/// A sheet to be made.
#[derive(Clone, Debug)]
pub struct SignOffRequest {
    /// The audit; it requires something.
    pub audit: AuditRequest,
    /// The file.
    pub out: PathBuf,
}

/// Audits, and writes the sheet.
///
/// # Errors
/// [`OpsError`] as from [`audit`], and if nothing is required or the disk says no.
pub fn sign_off(project: &Project, request: &SignOffRequest, progress: &dyn Progress) -> Result<Audit, OpsError> {
    let audit = audit(project, &request.audit, progress)?;
    let Some(required) = &audit.required else {
        return Err(OpsError::Usage(
            "a sign-off page says what is required: add --require, such as iou=0.85".to_owned(),
        ));
    };
    let drawn = if required.sampled == required.images {
        format!("Every one of the {} images that two or more annotators have finished.", required.images)
    } else {
        format!(
            "{} images, drawn without replacement from the {} that two or more annotators have finished: ordered by the \
             first word of the counter generator Philox for the purpose \u{201c}sample\u{201d}, seed {}, at each image's \
             number, and the first taken. An image reaches the requirement if each of its compared masks does.",
            required.sampled, required.images, request.audit.seed
        )
    };
    let mut all = tables(&audit);
    all.truncate(1);
    all.push(sample(project, &audit)?);
    let sheet = SignOff {
        title: title(project),
        requirement: required.requirement.clone(),
        layer: request.audit.layer.clone(),
        annotators: audit.annotators.clone(),
        share_required: required.share_required,
        images: required.images,
        sampled: required.sampled,
        passed: required.passed,
        share: required.share,
        lower_bound: required.lower_bound,
        confidence: required.confidence,
        holds: required.holds,
        drawn,
        tables: all,
        worst: worst(project, &audit.worst)?,
        notes: notes(&audit),
        command: command(&request.audit, &request.out),
        digests: vec![("sha256 of `rival10 dump`".to_owned(), digest(project)?)],
    };
    let html = report::sign_off(&sheet).map_err(|e| OpsError::Refused(e.to_string()))?;
    durable::write_bytes(&request.out, html.as_bytes()).map_err(OpsError::io(&request.out))?;
    Ok(audit)
}

/// Every image that was drawn, the worst first.
fn sample(project: &Project, audit: &Audit) -> Result<Table, OpsError> {
    let required = audit.required.as_ref();
    let paths: HashMap<ImageId, String> =
        project.store.images(&ImageFilter::default())?.into_iter().map(|image| (image.id, image.path)).collect();
    let mut drawn: Vec<_> = required.iter().flat_map(|required| &required.drawn).collect();
    let distance = required.is_some_and(|required| required.requirement.contains("<="));
    drawn.sort_by(|a, b| {
        let order = a.worst.total_cmp(&b.worst).then(a.image.cmp(&b.image));
        if distance { order.reverse() } else { order }
    });
    let rows = drawn.iter().map(|drawn| {
        let path = paths.get(&drawn.image).map_or("", String::as_str);
        let reaches = if drawn.passes { "yes" } else { "no" };
        vec![path.into(), Some(drawn.worst).filter(|worst| worst.is_finite()).into(), reaches.into()]
    });
    Ok(Table {
        name: "sample".to_owned(),
        caption: "Every image that was drawn, with the least good of its compared masks.".to_owned(),
        columns: ["image", "worst", "reaches it"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    })
}

/// The digest of everything that the project holds, as `rival10 dump | sha256sum` gives it.
fn digest(project: &Project) -> Result<String, OpsError> {
    struct Hashing(Sha256);
    impl io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(Sha256::new());
    dump(project, &mut hashing)?;
    Ok(hashing.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The command that gives the same sheet again.
fn command(request: &AuditRequest, out: &Path) -> String {
    let plain = AuditRequest::default();
    let mut words = vec!["rival10 audit".to_owned()];
    let mut option = |name: &str, value: &str| words.push(format!("{name} {}", quoted(value)));
    request.layer.iter().for_each(|layer| option("--layer", layer));
    if !request.annotators.is_empty() {
        option("--annotators", &request.annotators.join(","));
    }
    request.below.iter().for_each(|below| option("--below", &below.to_string()));
    request.require.iter().for_each(|require| option("--require", require));
    request.sample.iter().for_each(|sample| option("--sample", &sample.to_string()));
    option("--share", &request.share.to_string());
    if request.tolerance.to_bits() != plain.tolerance.to_bits() {
        option("--tolerance", &request.tolerance.to_string());
    }
    if request.seed != 0 {
        option("--seed", &request.seed.to_string());
    }
    option("--page", &out.display().to_string());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_names_the_command_that_gives_it_again() {
        let request = AuditRequest {
            layer: Some("object".to_owned()),
            require: Some("iou=0.85".to_owned()),
            sample: Some(200),
            seed: 3,
            ..AuditRequest::default()
        };
        assert_eq!(
            command(&request, Path::new("sign off.html")),
            "rival10 audit --layer object --require iou=0.85 --sample 200 --share 0.95 --seed 3 --page 'sign off.html'"
        );
    }
}

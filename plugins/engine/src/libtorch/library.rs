//! The libtorch that is linked into this process: set up once, and asked which it is.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::{Device, EngineError, guard::guarded};

/// The release that the bindings are made for.
const VERSION: &str = "2.11.0";

/// Sets libtorch up, and names it as a manifest does: its version and `device`.
pub(super) fn ready(device: Device) -> Result<String, EngineError> {
    static READY: OnceLock<Result<String, String>> = OnceLock::new();
    let failed = |reason: String| EngineError::Runtime { engine: "libtorch", reason };
    let version = READY.get_or_init(set_up).as_ref().map_err(|reason| failed(reason.clone()))?;
    let Device::Cuda(number) = device else {
        return Ok(format!("libtorch {version}, cpu"));
    };
    let count = guarded(tch::Cuda::device_count).unwrap_or_default();
    if usize::try_from(count).is_ok_and(|count| number < count) {
        let exact = std::env::var_os("NVIDIA_TF32_OVERRIDE").is_some_and(|value| value == "0");
        return Ok(format!("libtorch {version}, {device}{}", if exact { ", TF32 off" } else { "" }));
    }
    Err(failed(format!("{device}: {}", without_cuda(count, loaded("libtorch_cuda.so").is_some()))))
}

fn set_up() -> Result<String, String> {
    let version = match loaded("libtorch_cpu.so") {
        Some(file) => version_beside(&file).unwrap_or_else(|| VERSION.to_owned()),
        None => VERSION.to_owned(),
    };
    if version.split('+').next() != Some(VERSION) {
        return Err(format!(
            "the libtorch that was loaded is {version}, and rival10 was built for {VERSION} exactly: name the folder \
             torch/lib of PyTorch {VERSION} in LD_LIBRARY_PATH"
        ));
    }
    // Before anything is loaded: a module keeps the executor that it began with.
    tch::jit::f_set_profiling_mode(false).map_err(|error| super::values::told(&error))?;
    // Every worker has its own picture; threads inside of an operator would only stand in their way.
    guarded(|| tch::set_num_threads(1))?;
    Ok(version)
}

/// Why a CUDA device is not there, and what would do. `count` devices were found; `linked` says whether libtorch's part
/// for CUDA is in this process.
fn without_cuda(count: i64, linked: bool) -> String {
    match (count, linked) {
        (1.., _) => format!(
            "there {}",
            if count == 1 { "is cuda:0 alone".to_owned() } else { format!("are cuda:0 to cuda:{}", count - 1) }
        ),
        (_, true) => {
            "no CUDA device is found: `nvidia-smi` shows what the driver sees, and CUDA_VISIBLE_DEVICES may hide \
                      some; without --device it runs on the CPU"
                .to_owned()
        }
        (_, false) => {
            "libtorch_cuda.so is not in this process: with a libtorch that is built for CUDA, name that file in \
                       LD_PRELOAD, because linkers leave it out; without --device it runs on the CPU"
                .to_owned()
        }
    }
}

/// Where the shared library called `name` was loaded from; none where the system doesn't tell.
fn loaded(name: &str) -> Option<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let path = |line: &str| line.find('/').map(|at| PathBuf::from(&line[at..]));
    maps.lines().filter_map(path).find(|path| path.file_name().is_some_and(|file| file == name))
}

/// The version of the libtorch whose library is `file`: in `version.py` of a Python package, in `build-version` of an
/// archive; none where there is neither.
fn version_beside(file: &Path) -> Option<String> {
    let folder = file.parent()?.parent()?;
    if let Ok(text) = fs::read_to_string(folder.join("version.py")) {
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        return Some(line.trim_matches(['\'', '"']).to_owned());
    }
    Some(fs::read_to_string(folder.join("build-version")).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_lies_beside_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lib/libtorch_cpu.so");
        assert_eq!(version_beside(&file), None);
        fs::write(folder.path().join("build-version"), "2.10.0+cpu\n").unwrap();
        assert_eq!(version_beside(&file).unwrap(), "2.10.0+cpu");
        fs::write(folder.path().join("version.py"), "from typing import Optional\n__version__ = '2.11.0+cu130'\n")
            .unwrap();
        assert_eq!(version_beside(&file).unwrap(), "2.11.0+cu130");
    }

    #[test]
    fn what_keeps_cuda_away_is_told() {
        assert!(without_cuda(0, false).contains("LD_PRELOAD"));
        assert!(without_cuda(0, true).contains("nvidia-smi"));
        assert_eq!(without_cuda(1, true), "there is cuda:0 alone");
        assert_eq!(without_cuda(4, true), "there are cuda:0 to cuda:3");
    }
}

//! Finding ONNX Runtime's shared library on this machine, and loading it once.
//!
//! `ORT_DYLIB_PATH` names it; else that of the Python package `onnxruntime` is taken, as `python3` on the PATH finds it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::EngineError;

/// Prints where the package lies, without importing it.
const FIND: &str = "import importlib.util as u; print(u.find_spec('onnxruntime').submodule_search_locations[0])";

pub(super) struct Library {
    pub environment: ort::environment::Environment,
    /// `onnxruntime` and its version, as a manifest names it.
    pub name: String,
}

/// The library, loaded when it is first asked for.
pub(super) fn loaded() -> Result<&'static Library, EngineError> {
    static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
    LIBRARY
        .get_or_init(load)
        .as_ref()
        .map_err(|reason| EngineError::Runtime { engine: "onnxruntime", reason: reason.clone() })
}

fn load() -> Result<Library, String> {
    let path = find()?;
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let builder = ort::init_from(&path).map_err(|error| failed(&error))?;
    let environment = builder.with_telemetry(false).build().map_err(|error| failed(&error))?;
    Ok(Library { environment, name: format!("onnxruntime {}", version(&path, ort::info())) })
}

fn find() -> Result<PathBuf, String> {
    const WOULD_DO: &str = "install it with `pip install onnxruntime` for the python3 on the PATH, or name the shared \
                            library in ORT_DYLIB_PATH";
    if let Some(path) = env::var_os("ORT_DYLIB_PATH") {
        let path = PathBuf::from(path);
        return if path.is_file() { Ok(path) } else { Err(format!("ORT_DYLIB_PATH: {} is no file", path.display())) };
    }
    let python = if cfg!(windows) { "python" } else { "python3" };
    let found = Command::new(python).args(["-c", FIND]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = found.map_err(|error| format!("{python}: {error}; {WOULD_DO}"))?;
    let package = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || package.is_empty() {
        return Err(format!("{python} has no package onnxruntime; {WOULD_DO}"));
    }
    let folder = Path::new(&package).join("capi");
    library_in(&folder).ok_or_else(|| format!("{} holds no shared library of it; {WOULD_DO}", folder.display()))
}

/// ONNX Runtime's own library among those that lie in `folder`.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.into_iter().find(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let unix =
            name.strip_prefix("libonnxruntime.").is_some_and(|end| end.starts_with("so") || end.ends_with("dylib"));
        unix || name == "onnxruntime.dll"
    })
}

/// The version, from the library's name if it ends in one, else from what it says of its build.
fn version(path: &Path, build: &str) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let digits = |text: &str| {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        text[..end].trim_matches('.').to_owned()
    };
    let by_name = name.split_once(".so.").or_else(|| name.split_once("libonnxruntime.")).map(|(_, rest)| digits(rest));
    let by_build = || build.split_once("rel-").map(|(_, rest)| digits(rest));
    by_name.filter(|found| !found.is_empty()).or_else(by_build).unwrap_or_else(|| build.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_name_or_in_the_build() {
        assert_eq!(version(Path::new("capi/libonnxruntime.so.1.23.2"), ""), "1.23.2");
        assert_eq!(version(Path::new("libonnxruntime.1.20.0.dylib"), ""), "1.20.0");
        assert_eq!(version(Path::new("onnxruntime.dll"), "ORT Build Info: git-branch=rel-1.22.1, x"), "1.22.1");
        assert_eq!(version(Path::new("libonnxruntime.so"), "own build"), "own build");
    }

    #[test]
    fn its_own_library_is_told_from_its_providers() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(library_in(folder.path()), None);
        for name in ["libonnxruntime_providers_shared.so", "libonnxruntime.so.1.23.2", "onnxruntime_pybind11_state.so"]
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(library_in(folder.path()), Some(folder.path().join("libonnxruntime.so.1.23.2")));
    }
}

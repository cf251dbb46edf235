//! The Python door: the only crate that knows Python, and nothing imports it.
//!
//! One file per stage adds its functions and classes to the flat module `codex._core`; `errors` is where a Rust error
//! becomes a Python one.

use pyo3::prelude::*;

mod checkpoint;
mod errors;
mod file;
mod records;
mod text;
mod tokens;

/// The version of this build, the same as the distribution's.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The commit this build was made from, or an empty string outside a git checkout.
#[pyfunction]
fn build_commit() -> &'static str {
    env!("CODEX_BUILD_COMMIT")
}

#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(build_commit, module)?)?;
    checkpoint::register(module)?;
    file::register(module)?;
    records::register(module)?;
    text::register(module)?;
    tokens::register(module)?;
    Ok(())
}

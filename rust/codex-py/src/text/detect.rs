//! Which encoding bytes are in, for Python.

use codex_text::{Detection, Detector, Limits};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TextDetector>()?;
    module.add_function(wrap_pyfunction!(text_detect, module)?)
}

/// Encoding, language, confidence, whether there is a mark, errors, the first offsets of them, counts of lf, crlf and cr,
/// (encoding, language, nats behind) of the other answers, the reason.
type Found = (
    Option<&'static str>,
    Option<&'static str>,
    f64,
    bool,
    u64,
    Vec<u64>,
    (u64, u64, u64),
    Vec<(&'static str, &'static str, f64)>,
    &'static str,
);

fn found(detection: Detection) -> Found {
    let newlines = detection.newlines;
    (
        detection.encoding,
        detection.language,
        detection.confidence,
        detection.byte_order_mark,
        detection.errors,
        detection.places,
        (newlines.lf, newlines.crlf, newlines.cr),
        detection
            .alternatives
            .into_iter()
            .map(|other| (other.encoding, other.language, other.nats_behind))
            .collect(),
        detection.why,
    )
}

#[pyfunction]
fn text_detect(
    py: Python<'_>,
    data: &[u8],
    include: Vec<String>,
    exclude: Vec<String>,
    hint: Option<String>,
) -> Found {
    let limits = Limits {
        include,
        exclude,
        hint,
    };
    found(py.detach(|| codex_text::detect_within(data, limits)))
}

#[pyclass(module = "codex._core")]
struct TextDetector(Option<Detector>);

#[pymethods]
impl TextDetector {
    #[new]
    fn new(include: Vec<String>, exclude: Vec<String>, hint: Option<String>) -> Self {
        Self(Some(Detector::within(Limits {
            include,
            exclude,
            hint,
        })))
    }

    fn feed(&mut self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        let detector = self.0.as_mut().ok_or_else(closed)?;
        py.detach(|| detector.feed(data));
        Ok(())
    }

    fn close(&mut self, py: Python<'_>) -> PyResult<Found> {
        let detector = self.0.take().ok_or_else(closed)?;
        Ok(found(py.detach(|| detector.close())))
    }
}

fn closed() -> PyErr {
    PyValueError::new_err("the detector is closed")
}

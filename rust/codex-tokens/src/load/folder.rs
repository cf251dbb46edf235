//! A folder of Hugging Face's, of which the tokenizer is one file.

use crate::error::Result;
use crate::tokenizer::Tokenizer;
use std::path::Path;

impl Tokenizer {
    /// Reads `tokenizer.json`, or `tokenizer.model` where there is none, in `folder`. Other files are not looked at.
    ///
    /// # Errors
    /// As [`Tokenizer::from_file`] and [`Tokenizer::from_sentencepiece`].
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let (json, model) = (folder.join("tokenizer.json"), folder.join("tokenizer.model"));
        if !json.exists() && model.exists() {
            return Self::from_sentencepiece(&model);
        }
        Self::from_file(&json)
    }
}

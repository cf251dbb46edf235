//! `SentencePiece`'s `.model`: pieces with scores, from which the merges follow, and how text is marked.
//!
//! What comes out is what `transformers` makes of such a file: merges of all pairs of pieces that spell a piece, the higher score
//! first, and special tokens that are looked for before the text is marked.

use super::protobuf::{Field, fields};
use crate::added::AddedToken;
use crate::error::{Error, Result};
use crate::json::MAXIMUM_FILE_BYTES;
use crate::merge::Pair;
use crate::normalize::{Normalizer, Wanted};
use crate::parts::Parts;
use crate::settings::{Decoder, Settings, Spelt, Symbols, byte_of};
use crate::template::{Holds, Processor, Slot, Template, TemplateToken};
use crate::tokenizer::Tokenizer;
use crate::vocabulary::{Index, Kind, Strings, Vocabulary};
use codex_file::stream;
use std::path::Path;

const MARK: &str = "\u{2581}";

/// Longer pieces are no words; the work for one grows with its length.
const LONGEST_PIECE_BYTES: usize = 1024;

/// What a piece is, by the numbers of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

#[derive(Debug)]
struct Piece<'a> {
    text: &'a str,
    score: f32,
    sort: Sort,
}

/// What is read of a model.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are those of the file")]
struct Model<'a> {
    pieces: Vec<Piece<'a>>,
    is_bpe: bool,
    adds_mark: bool,
    removes_spaces: bool,
    marks_spaces: bool,
    has_rules: bool,
}

impl Tokenizer {
    /// Reads a `.model` of `SentencePiece` that was trained by byte-pair encoding.
    ///
    /// # Errors
    /// If the file is missing or damaged, is of another kind (unigram), or normalizes text by rules of its own.
    pub fn from_sentencepiece(path: &Path) -> Result<Self> {
        let data = stream::read_all(path, MAXIMUM_FILE_BYTES)?;
        Self::from_sentencepiece_model(&data).map_err(|error| error.in_file(path))
    }

    /// The same of the contents of the file.
    ///
    /// # Errors
    /// As [`Tokenizer::from_sentencepiece`].
    pub fn from_sentencepiece_model(data: &[u8]) -> Result<Self> {
        let model = read(data)?;
        for (is_refused, field, what) in [
            (
                !model.is_bpe,
                "trainer_spec.model_type",
                "is not 2: only byte-pair encoding is read, no unigrams",
            ),
            (
                model.has_rules,
                "normalizer_spec.precompiled_charsmap",
                "has rules, expected none (`identity`)",
            ),
            (
                model.removes_spaces,
                "normalizer_spec.remove_extra_whitespaces",
                "is true, expected false",
            ),
            (
                !model.marks_spaces,
                "normalizer_spec.escape_whitespaces",
                "is false, expected true",
            ),
        ] {
            if is_refused {
                return Err(Error::tokenizer(field, what));
            }
        }
        let mut spellings = Strings::default();
        let mut index = Index::default();
        for (at, piece) in model.pieces.iter().enumerate() {
            spellings.push(piece.text.as_bytes());
            if piece.text.is_empty() || piece.text.len() > LONGEST_PIECE_BYTES {
                let message = format!(
                    "has {} bytes, expected 1 to {LONGEST_PIECE_BYTES}",
                    piece.text.len()
                );
                return Err(Error::tokenizer(format!("pieces[{at}]"), message));
            }
            if let Some(first) = index.insert_last(&spellings) {
                return Err(Error::tokenizer(
                    format!("pieces[{at}]"),
                    format!("is `{}`, as pieces[{first}]", piece.text),
                ));
            }
        }
        let merges = merges(&model.pieces, &spellings, &index);
        let settings = settings(&model);
        let mut vocabulary = Vocabulary::default();
        for piece in &model.pieces {
            vocabulary.push(&settings.decoded(piece.text), Kind::Ordinary);
        }
        vocabulary.spellings = Some(spellings);
        let added = (0..).zip(&model.pieces).filter_map(|(id, piece)| {
            let token = AddedToken::special(id, piece.text.to_owned());
            match piece.sort {
                Sort::Unknown | Sort::Control => Some(token),
                Sort::UserDefined => Some(AddedToken {
                    special: false,
                    ..token
                }),
                Sort::Normal | Sort::Unused | Sort::Byte => None,
            }
        });
        let added = added.collect();
        Self::from_parts(Parts {
            vocabulary,
            merges,
            added,
            settings,
        })
    }
}

fn read(data: &[u8]) -> Result<Model<'_>> {
    let mut model = Model {
        pieces: Vec::new(),
        is_bpe: false,
        adds_mark: true,
        removes_spaces: true,
        marks_spaces: true,
        has_rules: false,
    };
    let broken = |at| Error::tokenizer("model", format!("is no protocol buffer at byte {at}"));
    for field in fields(data) {
        match field.map_err(broken)? {
            (1, Field::Bytes(piece)) => {
                let at = model.pieces.len();
                let piece = read_piece(piece)
                    .ok_or_else(|| Error::tokenizer(format!("pieces[{at}]"), "is damaged"))?;
                model.pieces.push(piece);
            }
            (2, Field::Bytes(trainer)) => {
                for field in fields(trainer) {
                    if let (3, Field::Number(kind)) = field.map_err(broken)? {
                        model.is_bpe = kind == 2;
                    }
                }
            }
            (3, Field::Bytes(normalizer)) => {
                for field in fields(normalizer) {
                    match field.map_err(broken)? {
                        (2, Field::Bytes(rules)) => model.has_rules = !rules.is_empty(),
                        (3, Field::Number(flag)) => model.adds_mark = flag != 0,
                        (4, Field::Number(flag)) => model.removes_spaces = flag != 0,
                        (5, Field::Number(flag)) => model.marks_spaces = flag != 0,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if model.pieces.is_empty() {
        return Err(Error::tokenizer("pieces", "are none"));
    }
    Ok(model)
}

fn read_piece(message: &[u8]) -> Option<Piece<'_>> {
    let mut piece = Piece {
        text: "",
        score: 0.0,
        sort: Sort::Normal,
    };
    for field in fields(message) {
        match field.ok()? {
            (1, Field::Bytes(text)) => piece.text = std::str::from_utf8(text).ok()?,
            (2, Field::Float(score)) if !score.is_nan() => piece.score = score,
            (3, Field::Number(sort)) => {
                piece.sort = match sort {
                    1 => Sort::Normal,
                    2 => Sort::Unknown,
                    3 => Sort::Control,
                    4 => Sort::UserDefined,
                    5 => Sort::Unused,
                    6 => Sort::Byte,
                    _ => return None,
                }
            }
            (1..=3, _) => return None,
            _ => {}
        }
    }
    Some(piece)
}

/// All pairs of pieces that spell a piece, in the order that `transformers` gives them.
fn merges(pieces: &[Piece<'_>], spellings: &Strings, index: &Index) -> Vec<(Pair, u32)> {
    let id_of = |text: &str| {
        index
            .get(spellings, text.as_bytes())
            .and_then(|at| u32::try_from(at).ok())
    };
    let mut merges: Vec<(f32, usize, usize, (Pair, u32))> = Vec::new();
    for (made, piece) in (0..).zip(pieces) {
        if !matches!(piece.sort, Sort::Normal | Sort::UserDefined) {
            continue;
        }
        let first = merges.len();
        let count = piece.text.chars().count();
        for (left_count, (cut, _)) in piece.text.char_indices().enumerate().skip(1) {
            let (left, right) = piece.text.split_at(cut);
            if let (Some(left), Some(right)) = (id_of(left), id_of(right)) {
                merges.push((piece.score, left_count, count - left_count, ((left, right), made)));
            }
        }
        merges[first..].sort_unstable_by_key(|&(.., (pair, _))| pair);
    }
    merges.sort_by(|one, other| {
        other
            .0
            .total_cmp(&one.0)
            .then(other.1.cmp(&one.1))
            .then(other.2.cmp(&one.2))
    });
    merges.into_iter().map(|(.., merge)| merge).collect()
}

fn settings(model: &Model<'_>) -> Settings {
    let mark = Normalizer::Replace {
        wanted: Wanted::literal(" "),
        content: MARK.to_owned(),
    };
    let prepend = model.adds_mark.then(|| Normalizer::Prepend(MARK.to_owned()));
    let (pattern, content) = (MARK.to_owned(), " ".to_owned());
    let strip = model.adds_mark.then_some(Decoder::Strip {
        content: ' ',
        start: 1,
        stop: 0,
    });
    let unknown = model.pieces.iter().find(|piece| piece.sort == Sort::Unknown);
    let has_bytes = model
        .pieces
        .iter()
        .any(|piece| piece.sort == Sort::Byte && byte_of(piece.text).is_some());
    Settings {
        normalizers: prepend.into_iter().chain([mark]).collect(),
        decoders: [
            Decoder::Replace { pattern, content },
            Decoder::ByteFallback,
            Decoder::Fuse,
        ]
        .into_iter()
        .chain(strip)
        .collect(),
        processors: start_of_text(model).into_iter().collect(),
        symbols: Symbols::Characters(Spelt {
            unknown: unknown.map(|piece| piece.text.to_owned()),
            fuses_unknown: true,
            falls_back_to_bytes: has_bytes,
            ..Spelt::default()
        }),
        ..Settings::default()
    }
}

/// `<s>` before every text, if the vocabulary has it.
fn start_of_text(model: &Model<'_>) -> Option<Processor> {
    let start = "<s>".to_owned();
    let is_start = |piece: &Piece<'_>| piece.sort == Sort::Control && piece.text == start;
    let id = u32::try_from(model.pieces.iter().position(is_start)?).ok()?;
    let slot = |holds, type_id| Slot { holds, type_id };
    let token = |type_id| slot(Holds::Token("<s>".to_owned()), type_id);
    Some(Processor::Template(Template {
        single: vec![token(0), slot(Holds::A, 0)],
        pair: vec![token(0), slot(Holds::A, 0), token(1), slot(Holds::B, 1)],
        tokens: vec![TemplateToken {
            name: start.clone(),
            ids: vec![id],
            tokens: vec![start],
        }],
    }))
}

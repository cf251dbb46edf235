//! What a tokenizer puts around a text when it is asked to: the post-processor of its file.

/// A post-processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Processor {
    /// Moves where ids come from, and no id.
    ByteLevel {
        add_prefix_space: bool,
        trim_offsets: bool,
        use_regex: bool,
    },
    /// BERT's and `RoBERTa`'s: one token before and one behind, as text and id.
    Around {
        shape: Shape,
        before: (String, u32),
        behind: (String, u32),
    },
    Template(Template),
}

/// How [`Processor::Around`] is spelt in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Bert,
    Roberta {
        add_prefix_space: bool,
        trim_offsets: bool,
    },
}

/// Places for the text, and tokens around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) single: Vec<Slot>,
    /// For two texts; kept to be written again.
    pub(crate) pair: Vec<Slot>,
    pub(crate) tokens: Vec<TemplateToken>,
}

/// A place in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) holds: Holds,
    pub(crate) type_id: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The first text.
    A,
    /// The second text.
    B,
    /// A [`TemplateToken`], by name.
    Token(String),
}

/// What the name of a special token in a template stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateToken {
    pub(crate) name: String,
    pub(crate) ids: Vec<u32>,
    pub(crate) tokens: Vec<String>,
}

/// The ids that stand before and behind the ids of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) before: Vec<u32>,
    pub(crate) behind: Vec<u32>,
}

impl Processor {
    /// If white space is left out where ids come from: whether a space at the start of the text was put there.
    pub(crate) fn trims(&self) -> Option<bool> {
        match *self {
            Self::ByteLevel {
                add_prefix_space,
                trim_offsets,
                ..
            }
            | Self::Around {
                shape:
                    Shape::Roberta {
                        add_prefix_space,
                        trim_offsets,
                    },
                ..
            } => trim_offsets.then_some(add_prefix_space),
            Self::Around { .. } | Self::Template(_) => None,
        }
    }
}

impl Around {
    /// All of `processors`, one around the other. The reader has checked that a template holds its text once.
    pub(crate) fn of(processors: &[Processor]) -> Self {
        let mut around = Self::default();
        for processor in processors {
            match processor {
                Processor::ByteLevel { .. } => {}
                Processor::Around { before, behind, .. } => {
                    around.before.insert(0, before.1);
                    around.behind.push(behind.1);
                }
                Processor::Template(template) => {
                    let mut is_before = true;
                    let mut before = Vec::new();
                    for slot in &template.single {
                        match &slot.holds {
                            Holds::Token(name) => {
                                let ids = template.ids_of(name);
                                if is_before {
                                    &mut before
                                } else {
                                    &mut around.behind
                                }
                                .extend(ids);
                            }
                            Holds::A | Holds::B => is_before = false,
                        }
                    }
                    before.append(&mut around.before);
                    around.before = before;
                }
            }
        }
        around
    }
}

impl Template {
    fn ids_of(&self, name: &str) -> impl Iterator<Item = u32> {
        let token = self.tokens.iter().find(|token| token.name == name);
        token.into_iter().flat_map(|token| token.ids.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(holds: Holds) -> Slot {
        Slot { holds, type_id: 0 }
    }

    #[test]
    fn processors_stand_one_around_the_other() {
        let token = |name: &str, ids: &[u32]| TemplateToken {
            name: name.to_owned(),
            ids: ids.to_vec(),
            tokens: vec![name.to_owned()],
        };
        let template = Template {
            single: vec![
                slot(Holds::Token("<s>".to_owned())),
                slot(Holds::Token("<x>".to_owned())),
                slot(Holds::A),
                slot(Holds::Token("</s>".to_owned())),
            ],
            pair: vec![],
            tokens: vec![token("<s>", &[1, 2]), token("<x>", &[3]), token("</s>", &[4])],
        };
        let (before, behind) = (("<a>".to_owned(), 8), ("<b>".to_owned(), 9));
        let pair = Processor::Around {
            shape: Shape::Bert,
            before,
            behind,
        };
        let bytes = Processor::ByteLevel {
            add_prefix_space: true,
            trim_offsets: true,
            use_regex: true,
        };
        let around = Around::of(&[bytes, pair, Processor::Template(template)]);
        assert_eq!((around.before, around.behind), (vec![1, 2, 3, 8], vec![9, 4]));
    }
}

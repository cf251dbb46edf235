//! `post_processor`

use super::{members, sequence};
use crate::error::Result;
use crate::json::node::Node;
use crate::template::{Holds, Processor, Shape, Slot, Template, TemplateToken};
use serde_json::{Map, Value, json};

const LIST: &str = "processors";

pub(super) fn read(node: &Node<'_>) -> Result<Vec<Processor>> {
    members(node, LIST)?.iter().map(read_one).collect()
}

fn read_one(node: &Node<'_>) -> Result<Processor> {
    match node.kind()? {
        "ByteLevel" => {
            node.object(&["type", "add_prefix_space", "trim_offsets", "use_regex"])?;
            Ok(Processor::ByteLevel {
                add_prefix_space: node.child("add_prefix_space").flag_or(true)?,
                trim_offsets: node.child("trim_offsets").flag_or(true)?,
                use_regex: node.child("use_regex").flag_or(true)?,
            })
        }
        "BertProcessing" => {
            node.object(&["type", "sep", "cls"])?;
            around(node, Shape::Bert)
        }
        "RobertaProcessing" => {
            node.object(&["type", "sep", "cls", "trim_offsets", "add_prefix_space"])?;
            let trim_offsets = node.child("trim_offsets").flag_or(true)?;
            let add_prefix_space = node.child("add_prefix_space").flag_or(true)?;
            around(
                node,
                Shape::Roberta {
                    add_prefix_space,
                    trim_offsets,
                },
            )
        }
        "TemplateProcessing" => read_template(node).map(Processor::Template),
        _ => Err(node.child("type").is_not(
            "`ByteLevel`, `TemplateProcessing`, `BertProcessing`, `RobertaProcessing` or `Sequence`",
        )),
    }
}

fn around(node: &Node<'_>, shape: Shape) -> Result<Processor> {
    let token = |key| {
        let node = node.child(key);
        let parts: Vec<Node<'_>> = node.items()?.collect();
        match &parts[..] {
            [text, id] => Ok((text.text()?.to_owned(), id.id()?)),
            _ => Err(node.is_not("a text and its id")),
        }
    };
    Ok(Processor::Around {
        shape,
        before: token("cls")?,
        behind: token("sep")?,
    })
}

fn read_template(node: &Node<'_>) -> Result<Template> {
    node.object(&["type", "single", "pair", "special_tokens"])?;
    let slots = |key| {
        node.child(key)
            .items()?
            .map(|slot| read_slot(&slot))
            .collect::<Result<Vec<Slot>>>()
    };
    let (single, pair) = (slots("single")?, slots("pair")?);
    let special_tokens = node.child("special_tokens");
    let mut tokens = Vec::new();
    for name in special_tokens.any_object()?.keys() {
        let token = special_tokens.child(name);
        token.object(&["id", "ids", "tokens"])?;
        tokens.push(TemplateToken {
            name: name.clone(),
            ids: token
                .child("ids")
                .items()?
                .map(|id| id.id())
                .collect::<Result<_>>()?,
            tokens: token
                .child("tokens")
                .items()?
                .map(|text| Ok(text.text()?.to_owned()))
                .collect::<Result<_>>()?,
        });
    }
    let single_node = node.child("single");
    let texts = single
        .iter()
        .filter(|slot| !matches!(slot.holds, Holds::Token(_)));
    if !texts.map(|slot| &slot.holds).eq([&Holds::A]) {
        return Err(single_node.says("does not hold the sequence `A` once"));
    }
    for slot in single.iter().chain(&pair) {
        if let Holds::Token(name) = &slot.holds
            && tokens.iter().all(|token| token.name != *name)
        {
            return Err(node.says(format!("has no `{name}` among its `special_tokens`")));
        }
    }
    Ok(Template { single, pair, tokens })
}

fn read_slot(node: &Node<'_>) -> Result<Slot> {
    let entry = node.object(&["SpecialToken", "Sequence"])?;
    let Some(key) = entry.keys().next().filter(|_| entry.len() == 1) else {
        return Err(node.is_not("one `SpecialToken` or `Sequence`"));
    };
    let inner = node.child(key);
    inner.object(&["id", "type_id"])?;
    let id = inner.child("id");
    let holds = match key.as_str() {
        "SpecialToken" => Holds::Token(id.text()?.to_owned()),
        _ => id.one_of(&[("A", Holds::A), ("B", Holds::B)])?,
    };
    Ok(Slot {
        holds,
        type_id: inner.child("type_id").id()?,
    })
}

pub(super) fn to_value(processors: &[Processor]) -> Value {
    sequence(processors.iter().map(one_value).collect(), LIST)
}

fn one_value(processor: &Processor) -> Value {
    match processor {
        Processor::ByteLevel {
            add_prefix_space,
            trim_offsets,
            use_regex,
        } => json!({
            "type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets, "use_regex": use_regex,
        }),
        Processor::Around {
            shape: Shape::Bert,
            before,
            behind,
        } => {
            json!({"type": "BertProcessing", "sep": behind, "cls": before})
        }
        Processor::Around {
            shape:
                Shape::Roberta {
                    add_prefix_space,
                    trim_offsets,
                },
            before,
            behind,
        } => json!({
            "type": "RobertaProcessing", "sep": behind, "cls": before, "trim_offsets": trim_offsets,
            "add_prefix_space": add_prefix_space,
        }),
        Processor::Template(Template { single, pair, tokens }) => {
            let slots = |slots: &[Slot]| slots.iter().map(slot_value).collect::<Vec<_>>();
            let named = |token: &TemplateToken| {
                let TemplateToken { name, ids, tokens } = token;
                (name.clone(), json!({"id": name, "ids": ids, "tokens": tokens}))
            };
            let tokens: Map<String, Value> = tokens.iter().map(named).collect();
            json!({"type": "TemplateProcessing", "single": slots(single), "pair": slots(pair), "special_tokens": tokens})
        }
    }
}

fn slot_value(slot: &Slot) -> Value {
    let (key, id) = match &slot.holds {
        Holds::A => ("Sequence", "A"),
        Holds::B => ("Sequence", "B"),
        Holds::Token(name) => ("SpecialToken", name.as_str()),
    };
    json!({key: {"id": id, "type_id": slot.type_id}})
}

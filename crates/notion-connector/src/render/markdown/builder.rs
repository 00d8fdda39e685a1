//! Makes a tree from the order in which blocks open and close.
//!
//! The stack holds what is open: tags until they are closed, blocks until a line that is not nested in them. A block
//! that would stand deeper than [`MAX_DEPTH`] is finished at once and what follows goes to its parent, so no input
//! makes a tree that overflows a stack. Each frame is pushed and popped once: the cost is linear.

use std::collections::BTreeMap;

use crate::render::document::{Inline, Kind, MAX_DEPTH, Node, order_sections};
use crate::render::text::line_of;

use super::cost::looked_at;

/// What ends a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Until {
    /// A closing tag of this name (with `-` for `_`), or a line indented less than this.
    Closed { name: String, indent: usize },
    /// A line indented less than this.
    Dedent(usize),
}

/// What an open frame collects.
#[derive(Debug)]
pub(super) enum Body {
    /// A block.
    Node(Node),
    /// A table cell: everything in it becomes text of one cell.
    Cell(Vec<Inline>),
    /// The label of the block around it.
    Label(Vec<Inline>),
    /// Nothing of its own: what is in it belongs to what is around it.
    Ghost,
}

#[derive(Debug)]
struct Frame {
    until: Until,
    body: Body,
    /// The next text is the label: nothing has followed the beginning yet.
    fresh: bool,
    /// Which frame takes the blocks of this one: itself, or the nearest around it that is no ghost.
    taker: Option<usize>,
}

/// An unfinished tree.
#[derive(Debug, Default)]
pub(super) struct Builder {
    roots: Vec<Node>,
    stack: Vec<Frame>,
    open_names: BTreeMap<String, usize>,
    depth: usize,
}

impl Builder {
    /// Opens a frame. Its first text becomes its label if `takes_label`.
    pub(super) fn open(&mut self, until: Until, body: Body, takes_label: bool) {
        let body = match body {
            Body::Node(node) if self.depth >= MAX_DEPTH => {
                self.attach(node);
                Body::Ghost
            }
            other => other,
        };
        self.depth += usize::from(matches!(body, Body::Node(_)));
        if let Until::Closed { name, .. } = &until {
            *self.open_names.entry(name.clone()).or_default() += 1;
        }
        let fresh = takes_label && !matches!(body, Body::Ghost);
        let taker = match body {
            Body::Ghost => self.stack.last().and_then(|frame| frame.taker),
            _ => Some(self.stack.len()),
        };
        self.stack.push(Frame { until, body, fresh, taker });
    }

    /// Ends what a line indented by `indent` is not nested in.
    pub(super) fn dedent(&mut self, indent: usize, close_tags: bool) {
        while let Some(frame) = self.stack.last() {
            let ends = match &frame.until {
                Until::Dedent(least) => indent < *least,
                Until::Closed { indent: own, .. } => close_tags && indent < *own,
            };
            looked_at(1);
            if !ends {
                break;
            }
            self.pop();
        }
    }

    /// Ends the innermost tag `name` and all that is open in it; false if none is open.
    pub(super) fn close(&mut self, name: &str) -> bool {
        if !self.is_open(name) {
            return false;
        }
        while let Some(frame) = self.stack.last() {
            let found = matches!(&frame.until, Until::Closed { name: own, .. } if own == name);
            self.pop();
            if found {
                break;
            }
        }
        true
    }

    /// Whether a tag `name` is open.
    pub(super) fn is_open(&self, name: &str) -> bool {
        self.open_names.get(name).is_some_and(|count| *count > 0)
    }

    /// The name of the innermost open tag.
    pub(super) fn innermost_tag(&self) -> Option<&str> {
        self.stack.iter().rev().take(4).find_map(|frame| match &frame.until {
            Until::Closed { name, .. } => Some(name.as_str()),
            Until::Dedent(_) => None,
        })
    }

    /// What the innermost block is.
    pub(super) fn innermost_kind(&self) -> Option<&Kind> {
        match &self.stack.last()?.body {
            Body::Node(node) => Some(&node.kind),
            Body::Cell(_) | Body::Label(_) | Body::Ghost => None,
        }
    }

    /// Adds a block that is complete.
    pub(super) fn add(&mut self, node: Node) {
        self.attach(node);
    }

    /// Adds a run of text: the label of a fresh frame, else a paragraph of its own.
    pub(super) fn add_text(&mut self, inlines: Vec<Inline>) {
        if inlines.is_empty() {
            return;
        }
        if let Some(frame) = self.stack.last_mut() {
            match &mut frame.body {
                Body::Node(node) if frame.fresh => {
                    join(&mut node.label, inlines);
                    return;
                }
                Body::Cell(text) | Body::Label(text) => {
                    join(text, inlines);
                    return;
                }
                Body::Node(_) | Body::Ghost => {}
            }
        }
        self.attach(Node::labelled(Kind::Paragraph, inlines));
    }

    /// Whether text that is added now becomes a label or part of a cell.
    pub(super) fn takes_label(&self) -> bool {
        self.stack
            .last()
            .is_some_and(|frame| frame.fresh || matches!(frame.body, Body::Cell(_) | Body::Label(_)))
    }

    /// The indentation of the innermost block, if it is a tag.
    pub(super) fn tag_indent(&self) -> Option<usize> {
        match self.stack.last()? {
            Frame { until: Until::Closed { indent, .. }, body: Body::Node(_), .. } => Some(*indent),
            _ => None,
        }
    }

    /// From here on, text is no label any more.
    pub(super) fn end_label(&mut self) {
        if let Some(frame) = self.stack.last_mut() {
            frame.fresh = false;
        }
    }

    /// Ends everything.
    pub(super) fn finish(mut self) -> Vec<Node> {
        while !self.stack.is_empty() {
            self.pop();
        }
        self.roots
    }

    fn pop(&mut self) {
        looked_at(1);
        let Some(frame) = self.stack.pop() else { return };
        if let Until::Closed { name, .. } = &frame.until
            && let Some(count) = self.open_names.get_mut(name)
        {
            *count = count.saturating_sub(1);
        }
        match frame.body {
            Body::Node(mut node) => {
                self.depth = self.depth.saturating_sub(1);
                if node.kind == Kind::MeetingNotes {
                    order_sections(&mut node.children);
                }
                self.attach(node);
            }
            Body::Cell(text) => self.attach_cell(text),
            Body::Label(text) => self.attach_label(text),
            Body::Ghost => {}
        }
    }

    fn attach_cell(&mut self, text: Vec<Inline>) {
        match self.stack.last_mut().map(|frame| &mut frame.body) {
            Some(Body::Node(Node { kind: Kind::TableRow { cells }, .. })) => cells.push(text),
            _ => self.add_text(text),
        }
    }

    fn attach_label(&mut self, text: Vec<Inline>) {
        match self.stack.last_mut().map(|frame| &mut frame.body) {
            Some(Body::Node(node)) if node.children.is_empty() => join(&mut node.label, text),
            _ => self.add_text(text),
        }
        self.end_label();
    }

    /// Gives a block to the innermost frame that takes one.
    fn attach(&mut self, node: Node) {
        let taker = self.stack.last().and_then(|frame| frame.taker);
        let Some(frame) = taker.and_then(|index| self.stack.get_mut(index)) else {
            self.roots.push(node);
            return;
        };
        match &mut frame.body {
            Body::Node(parent) => {
                parent.children.push(node);
                frame.fresh = false;
            }
            Body::Cell(text) | Body::Label(text) => flatten(node, text),
            Body::Ghost => self.roots.push(node),
        }
    }
}

/// Appends text on a new line.
fn join(text: &mut Vec<Inline>, more: Vec<Inline>) {
    if more.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push(Inline::LineBreak);
    }
    text.extend(more);
}

/// The text of a block and all below it, for places that hold text only.
fn flatten(node: Node, out: &mut Vec<Inline>) {
    let mut rest = vec![node];
    while let Some(node) = rest.pop() {
        looked_at(1);
        let line = line_of(&node);
        if node.label.is_empty() || !matches!(node.kind, Kind::Paragraph) {
            let inlines = if line.is_empty() { Vec::new() } else { vec![Inline::plain(line)] };
            join(out, inlines);
        } else {
            join(out, node.label);
        }
        rest.extend(node.children.into_iter().rev());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> Until {
        Until::Closed { name: name.to_owned(), indent: 0 }
    }

    #[test]
    fn the_tree_is_never_deeper_than_allowed_and_keeps_all_text() {
        let mut builder = Builder::default();
        for number in 0..MAX_DEPTH * 3 {
            builder.open(tag("x"), Body::Node(Node::new(Kind::Quote)), false);
            builder.add_text(vec![Inline::plain(number.to_string())]);
        }
        let roots = builder.finish();
        let (mut deepest, mut paragraphs) = (0, 0);
        let mut rest: Vec<(&Node, usize)> = roots.iter().map(|node| (node, 1)).collect();
        while let Some((node, depth)) = rest.pop() {
            deepest = deepest.max(depth);
            paragraphs += usize::from(node.kind == Kind::Paragraph);
            rest.extend(node.children.iter().map(|child| (child, depth + 1)));
        }
        assert_eq!(deepest, MAX_DEPTH + 1);
        assert_eq!(paragraphs, MAX_DEPTH * 3);
    }

    #[test]
    fn blocks_in_a_cell_become_its_text() {
        let mut builder = Builder::default();
        builder.open(tag("tr"), Body::Node(Node::new(Kind::TableRow { cells: Vec::new() })), false);
        builder.open(tag("td"), Body::Cell(Vec::new()), true);
        builder.add_text(vec![Inline::plain("a")]);
        builder.add(Node::labelled(Kind::Quote, vec![Inline::plain("b")]));
        assert!(builder.close("td") && builder.close("tr") && !builder.close("tr"));
        let cell = vec![Inline::plain("a"), Inline::LineBreak, Inline::plain("b")];
        assert_eq!(builder.finish(), [Node::new(Kind::TableRow { cells: vec![cell] })]);
    }
}

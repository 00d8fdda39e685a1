use std::collections::{BTreeMap, BTreeSet};

use super::{ConnectorId, NotionId};

/// Who asks. Every search takes one, and the index filters by it before it counts and ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// The owner of the data directory, at the machine: sees everything.
    LocalOperator,
    /// A person: sees of the connectors in which they are mapped what is in their sight, and nothing else.
    Mapped(Sights),
}

/// What a person sees of each connector in which they are mapped. By default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sights {
    /// By connector; of one that is not here they see nothing.
    pub connectors: BTreeMap<ConnectorId, Sight>,
    /// Whether they see all that is held of every workspace that they see anything of. Only then may titles be searched that are
    /// joined from other items: breadcrumbs, titles of related pages.
    pub searches_joined: bool,
}

/// What a person sees of one connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// All that it holds.
    Everything,
    /// What its audience rules grant them.
    Ruled(Rulings),
}

/// What the audience rules of one connector mean for one person. Of an item the nearest rule decides: that of the item itself,
/// else of what it lies in, and so on upwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rulings {
    /// What is decided by no place: the rule of the whole connector, if there is one that grants it.
    pub whole: bool,
    /// What the rules at a place decide; all rules are here, those that grant nothing too.
    pub places: BTreeMap<NotionId, Ruling>,
}

/// What the rules at one place decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruling {
    /// Of the place and what lies below it.
    pub below: Option<bool>,
    /// Of what lies below it, by what stands in a column of the row: comes before `below`.
    pub rows: Option<RowsRuling>,
}

/// The rule that decides of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearest {
    /// That by a column of this data source.
    Rows(NotionId),
    /// That on this place.
    Below(NotionId),
    /// That of the whole connector, if there is one.
    Whole,
    /// None: not all is known of where it stands.
    Nothing,
}

/// What a rule by a column decides of the rows of a data source, and of what lies below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowsRuling {
    /// All rows are granted, whatever stands in them.
    All,
    /// Those rows are granted that carry one of these marks.
    Marked(BTreeSet<String>),
}

/// Where an item stands, as far as that decides who may see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// The objects that it lies in, outermost first, and itself as the last.
    pub path: Vec<NotionId>,
    /// Whether that is the whole path. Where it is not, a rule further up may not be known, and no rule of a whole connector grants it.
    pub is_known: bool,
    /// What the rows in the path say in columns that rules go by; see [`option_mark`] and [`person_mark`].
    pub marks: Vec<String>,
}

impl Viewer {
    /// Whether they see an item that these connectors hold and that stands there.
    pub fn sees(&self, holders: &[ConnectorId], position: &Position) -> bool {
        match self {
            Self::LocalOperator => true,
            Self::Mapped(sights) => {
                holders.iter().filter_map(|holder| sights.connectors.get(holder)).any(|sight| match sight {
                    Sight::Everything => true,
                    Sight::Ruled(rulings) => rulings.grant(position),
                })
            }
        }
    }

    /// Whether they may see anything of a connector.
    pub fn enters(&self, connector: ConnectorId) -> bool {
        match self {
            Self::LocalOperator => true,
            Self::Mapped(sights) => sights.connectors.contains_key(&connector),
        }
    }

    /// Whether they may see all that a connector holds: how much it is may be told them then.
    pub fn sees_all_of(&self, connector: ConnectorId) -> bool {
        match self {
            Self::LocalOperator => true,
            Self::Mapped(sights) => sights.connectors.get(&connector) == Some(&Sight::Everything),
        }
    }

    /// A person who sees all of these connectors, and no titles of what others hold.
    pub fn of_connectors(connectors: impl IntoIterator<Item = ConnectorId>) -> Self {
        let connectors = connectors.into_iter().map(|connector| (connector, Sight::Everything)).collect();
        Self::Mapped(Sights { connectors, searches_joined: false })
    }
}

impl Rulings {
    /// Whether what stands there is granted.
    pub fn grant(&self, position: &Position) -> bool {
        let at = |place| self.places.get(&place);
        match self.nearest(position) {
            Nearest::Rows(place) => at(place)
                .and_then(|ruling| ruling.rows.as_ref())
                .is_some_and(|rows| rows.grant(&position.marks)),
            Nearest::Below(place) => at(place).and_then(|ruling| ruling.below) == Some(true),
            Nearest::Whole => self.whole,
            Nearest::Nothing => false,
        }
    }

    /// Which rule decides of what stands there.
    pub fn nearest(&self, position: &Position) -> Nearest {
        let mut is_itself = true;
        for object in position.path.iter().rev() {
            match self.places.get(object) {
                Some(ruling) if ruling.rows.is_some() && !is_itself => return Nearest::Rows(*object),
                Some(ruling) if ruling.below.is_some() => return Nearest::Below(*object),
                _ => is_itself = false,
            }
        }
        if position.is_known { Nearest::Whole } else { Nearest::Nothing }
    }
}

impl RowsRuling {
    fn grant(&self, marks: &[String]) -> bool {
        match self {
            Self::All => true,
            Self::Marked(granted) => marks.iter().any(|mark| granted.contains(mark)),
        }
    }
}

/// The mark of rows that have an option in the column that a rule goes by.
pub fn option_mark(rule: i64, option: &str) -> String {
    format!("{rule}={}", on_one_line(option))
}

/// The mark of rows that name a person of Notion's in the column that a rule goes by.
pub fn person_mark(rule: i64, person: NotionId) -> String {
    format!("{rule}@{}", person.0.simple())
}

/// A name as rules compare it: exactly, but for how much space stands in it.
pub fn on_one_line(name: &str) -> String {
    let words: Vec<&str> =
        name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// What a program said that nobody asks to mend it, as a person reads it: line breaks and other control characters are a space.
pub fn without_controls(text: &str) -> String {
    if text.chars().any(char::is_control) { on_one_line(text) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> NotionId {
        NotionId(Uuid::from_u128(n))
    }

    fn at(path: &[u128]) -> Position {
        Position { path: path.iter().copied().map(id).collect(), is_known: true, marks: Vec::new() }
    }

    fn below(granted: bool) -> Ruling {
        Ruling { below: Some(granted), rows: None }
    }

    #[test]
    fn the_nearest_rule_decides_and_without_one_everything_is_closed() {
        let mut rulings = Rulings::default();
        assert!(!rulings.grant(&at(&[1])), "closed by default");
        rulings.places.insert(id(1), below(true));
        rulings.places.insert(id(2), below(false));
        rulings.places.insert(id(3), below(true));
        for (path, expected) in [
            (&[1][..], true),
            (&[1, 2], false),
            (&[1, 2, 3], true),
            (&[1, 2, 3, 4], true),
            (&[1, 9], true),
            (&[9], false),
        ] {
            assert_eq!(rulings.grant(&at(path)), expected, "{path:?}");
        }
        rulings.whole = true;
        assert!(rulings.grant(&at(&[9])));
        assert!(!rulings.grant(&at(&[1, 2])), "what is closed nearer stays closed");
    }

    #[test]
    fn what_stands_nobody_knows_where_is_not_granted_as_part_of_the_whole() {
        let mut rulings = Rulings { whole: true, ..Rulings::default() };
        let lost = Position { is_known: false, ..at(&[7, 8]) };
        assert!(!rulings.grant(&lost), "there may be a rule further up");
        rulings.places.insert(id(7), below(true));
        assert!(rulings.grant(&lost), "a nearer rule decides");
    }

    #[test]
    fn a_column_decides_for_rows_and_what_lies_below_before_a_rule_at_the_same_place() {
        let marks = BTreeSet::from([option_mark(7, "Red")]);
        let ruling = Ruling { below: Some(true), rows: Some(RowsRuling::Marked(marks)) };
        let rulings =
            Rulings { whole: true, places: BTreeMap::from([(id(1), ruling), (id(5), below(true))]) };
        let marked =
            |path: &[u128], option: &str| Position { marks: vec![option_mark(7, option)], ..at(path) };
        assert!(rulings.grant(&at(&[1])), "the data source itself is decided by its own rule");
        assert!(rulings.grant(&marked(&[1, 2], "Red")) && rulings.grant(&marked(&[1, 2, 3], "Red")));
        assert!(!rulings.grant(&marked(&[1, 2], "red")) && !rulings.grant(&at(&[1, 2])));
        assert!(rulings.grant(&at(&[1, 5])), "a rule on the row is nearer still");
    }

    #[test]
    fn any_connector_that_grants_it_suffices() {
        let closed = Sight::Ruled(Rulings::default());
        let sights = BTreeMap::from([(ConnectorId(1), closed), (ConnectorId(2), Sight::Everything)]);
        let viewer = Viewer::Mapped(Sights { connectors: sights, searches_joined: false });
        let sees = |holders: &[i64]| {
            viewer.sees(&holders.iter().copied().map(ConnectorId).collect::<Vec<_>>(), &at(&[1]))
        };
        assert_eq!(
            (sees(&[1]), sees(&[2]), sees(&[1, 2]), sees(&[3]), sees(&[])),
            (false, true, true, false, false)
        );
        assert!(!Viewer::Mapped(Sights::default()).sees(&[ConnectorId(1)], &at(&[1])));
    }

    #[test]
    fn marks_tell_rules_and_values_apart() {
        let person = id(3).0.simple().to_string();
        let marks = [
            option_mark(1, "Red"),
            option_mark(11, "Red"),
            option_mark(1, "red"),
            option_mark(1, &person),
            person_mark(1, id(3)),
        ];
        assert_eq!(marks.iter().collect::<BTreeSet<_>>().len(), marks.len());
        assert_eq!(option_mark(1, " Red\u{a0}\thot"), option_mark(1, "Red hot"));
    }
}

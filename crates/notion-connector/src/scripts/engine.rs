//! The engine: one value through one script, with limits of steps, memory and depth.
//!
//! It has the language and nothing beside it: no files, network, modules or timers. Its limits stop what scripts do step by step; what
//! runs long inside one step is stopped from outside.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{Context, Ctx, Error, Runtime, Value};

use super::{Mapped, ScriptError};

/// Bytes of the engine and all that the script makes.
pub(super) const MEMORY_BYTES: usize = 16 << 20;

/// Bytes of the engine's stack; the smallest that it runs on is eight times as large.
const STACK_BYTES: usize = 256 << 10;

/// Interrupts of the engine, one for some ten thousand steps: less than a second.
const INTERRUPTS: u32 = 1_500;

/// Longest value that a script gives, in characters.
pub(super) const MAX_RESULT_CHARS: usize = 2_000;

/// Longest message of a script's error that is told, in characters.
const MAX_MESSAGE_CHARS: usize = 200;

/// Looks for the binding however it was made: `const` makes no property of the global object.
const NAMED: &str = "typeof mapSourceUser === 'undefined' ? undefined : mapSourceUser";

/// What the script makes of a value.
pub(super) fn run(script: &str, value: &str) -> Mapped {
    let fuel = Rc::new(Cell::new(INTERRUPTS));
    with_engine(&fuel, |ctx| {
        let globals = ctx.globals();
        globals.set("sourceUserValue", value)?;
        let last: Value<'_> = ctx.eval_with_options(script, sloppy())?;
        let named: Value<'_> = ctx.eval_with_options(NAMED, sloppy())?;
        let given = match named.as_function() {
            Some(function) => function.call((value,))?,
            None if named.is_undefined() => last,
            None => named,
        };
        text_of(&given)
    })
}

/// What a script is run for when it is set: an address of nobody's.
const SAMPLE: &str = "somebody@workspace.example";

/// Why the text can map nobody: it is no JavaScript, or has no `mapSourceUser`.
pub(super) fn check(script: &str) -> Result<(), String> {
    check_syntax(script).map_err(|why| format!("the script is no JavaScript: {why}"))?;
    check_function(script)
}

/// A script that only calls a function of that name, as `(function mapSourceUser(v) { … })(sourceUserValue)`, leaves no binding: it is
/// known by what it gives. It may throw an error for this value alone.
fn check_function(script: &str) -> Result<(), String> {
    let fuel = Rc::new(Cell::new(INTERRUPTS));
    let found = with_engine(&fuel, |ctx| {
        ctx.globals().set("sourceUserValue", SAMPLE)?;
        let gives = match ctx.eval_with_options::<Value<'_>, _>(script, sloppy()) {
            Ok(last) => !last.is_undefined() && !last.is_object(),
            Err(Error::Exception) if fuel.get() > 0 => {
                drop(ctx.catch());
                true
            }
            Err(other) => return Err(other.into()),
        };
        let named: Value<'_> = ctx.eval_with_options(NAMED, sloppy())?;
        Ok(!named.is_undefined() || (gives && script.contains("mapSourceUser")))
    });
    match found {
        Ok(true) => Ok(()),
        Ok(false) => Err("the script has no function mapSourceUser, and would map nobody".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Why the text is no JavaScript, if it is none. Nothing of it is run.
fn check_syntax(script: &str) -> Result<(), String> {
    // All of it is read before the first statement runs, and that one ends it.
    let unreached = format!("throw undefined; {script}");
    let fuel = Rc::new(Cell::new(INTERRUPTS));
    let read = with_engine(&fuel, |ctx| match ctx.eval_with_options::<(), _>(unreached, sloppy()) {
        Err(Error::Exception) => {
            let caught = ctx.catch();
            let Some(exception) = caught.as_exception() else { return Ok(None) };
            // As in “at <eval>:3:14”.
            let stack = exception.stack().unwrap_or_default();
            let line = stack
                .split_once(':')
                .and_then(|(_, rest)| rest.split(':').next()?.trim().parse::<u32>().ok());
            let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
            let message = exception.message().unwrap_or_default();
            Ok(Some(shortened(&message) + &line))
        }
        other => other.map(|()| None).map_err(Failure::Engine),
    });
    match read {
        Ok(None) => Ok(()),
        Ok(Some(wrong)) => Err(wrong),
        Err(error) => Err(error.to_string()),
    }
}

/// As scripts for other connectors of this kind are written.
fn sloppy() -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = false;
    options
}

enum Failure {
    Engine(Error),
    Result(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

fn with_engine<T>(
    fuel: &Rc<Cell<u32>>,
    work: impl FnOnce(&Ctx<'_>) -> Result<T, Failure>,
) -> Result<T, ScriptError> {
    let engine = || {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(MEMORY_BYTES);
        runtime.set_max_stack_size(STACK_BYTES);
        let left = Rc::clone(fuel);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            left.set(left.get().saturating_sub(1));
            left.get() == 0
        })));
        Context::full(&runtime)
    };
    let context = engine().map_err(|error| ScriptError::Threw(shortened(&error.to_string())))?;
    context.with(|ctx| {
        work(&ctx).map_err(|failure| match failure {
            _ if fuel.get() == 0 => ScriptError::TooLong,
            Failure::Engine(error) => told(&ctx, &error),
            Failure::Result(what) => ScriptError::NoText(what.to_owned()),
        })
    })
}

fn text_of(given: &Value<'_>) -> Result<Option<String>, Failure> {
    let text = if let Some(text) = given.as_string() {
        // Halves of characters, which JavaScript lets stand alone, are no text.
        text.to_string().map_err(|_| Failure::Result("a text that is broken"))?
    } else if let Some(number) = given.as_number().filter(|number| number.is_finite()) {
        // As JavaScript writes it: a whole number without a point.
        number.to_string()
    } else if given.is_null() || given.is_undefined() {
        return Ok(None);
    } else {
        return Err(Failure::Result(given.type_name()));
    };
    if text.chars().nth(MAX_RESULT_CHARS).is_some() {
        return Err(Failure::Result("a text that is too long"));
    }
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn told(ctx: &Ctx<'_>, error: &Error) -> ScriptError {
    let caught = match error {
        Error::Exception => ctx.catch(),
        Error::Allocation => return ScriptError::TooMuchMemory,
        other => return ScriptError::Threw(shortened(&other.to_string())),
    };
    let Some(exception) = caught.as_exception() else {
        // There was no memory left to say so.
        let is_bare = caught.is_null() || caught.is_undefined();
        let thrown = caught.as_string().and_then(|text| text.to_string().ok()).unwrap_or_default();
        return if is_bare { ScriptError::TooMuchMemory } else { ScriptError::Threw(shortened(&thrown)) };
    };
    let message = exception.message().unwrap_or_default();
    if message == "out of memory" {
        return ScriptError::TooMuchMemory;
    }
    let name: String = exception.get("name").unwrap_or_default();
    ScriptError::Threw(shortened(&format!("{name}: {message}")))
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_SCRIPT;
    use super::*;

    fn map(script: &str) -> Mapped {
        run(script, "Ana@acme.example")
    }

    fn some(text: &str) -> Mapped {
        Ok(Some(text.to_owned()))
    }

    #[test]
    fn a_function_or_a_var_with_a_trailing_call_gives_a_string_or_a_number() {
        for (script, expected) in [
            (DEFAULT_SCRIPT, "Ana@acme.example"),
            ("function mapSourceUser(v) { return v.split('@')[0].toLowerCase(); }", "ana"),
            ("var mapSourceUser = function (v) { return v.length; };\nmapSourceUser(sourceUserValue);", "16"),
            ("var mapSourceUser = (function (v) { return v.replace(/@.*/, ''); })(sourceUserValue);", "Ana"),
            ("(function mapSourceUser(sourceUserValue) { return 'a' + 1.5; })(sourceUserValue)", "a1.5"),
            ("const mapSourceUser = v => v + '!';", "Ana@acme.example!"),
            (
                "function mapSourceUser(v) { return [...new Set([1, 2, 2])].map(x => x * 2).join('-'); }",
                "2-4",
            ),
            ("function mapSourceUser(v) { return JSON.parse('[\" x \"]')[0]; }", "x"),
            ("function mapSourceUser() { return 12345678901; }", "12345678901"),
            ("var n = {}; n.n = 5; function mapSourceUser(v) { return v; }", "Ana@acme.example"),
        ] {
            assert_eq!(map(script), some(expected), "{script}");
        }
        for nothing in [
            "function mapSourceUser() {}",
            "var mapSourceUser = null;",
            "function mapSourceUser() { return ' '; }",
            "",
        ] {
            assert_eq!(map(nothing), Ok(None), "{nothing}");
        }
    }

    #[test]
    fn what_fails_says_why() {
        let thrown = ScriptError::Threw("TypeError: no such user".to_owned());
        assert_eq!(map("function mapSourceUser() { throw new TypeError('no such user'); }"), Err(thrown));
        let text = ScriptError::Threw("a text".to_owned());
        assert_eq!(map("function mapSourceUser() { throw 'a text'; }"), Err(text));
        for odd in
            ["({})", "NaN", "[1]", "true", "Symbol()", "'x'.repeat(3000)", "'\\ud800'", "async () => 1"]
        {
            let script = format!("function mapSourceUser() {{ return {odd}; }}");
            assert!(matches!(map(&script), Err(ScriptError::NoText(_))), "{odd}: {:?}", map(&script));
        }
        let flood = map("throw new Error('x'.repeat(100000) + '\\u001b[2J')").unwrap_err().to_string();
        assert!(flood.len() < 300 && !flood.contains('\u{1b}'), "{flood}");
    }

    #[test]
    fn a_text_that_is_no_script_is_told_with_its_line_and_nothing_of_it_runs() {
        assert_eq!(check_syntax(DEFAULT_SCRIPT), Ok(()));
        assert_eq!(check_syntax("for (;;) {}"), Ok(()), "it is not run");
        assert_eq!(check_syntax("JSON.parse('x')"), Ok(()), "an error of a later time is another");
        let wrong = check("var a = 1;\nfunction mapSourceUser(v) {\n  return v..x;\n}").unwrap_err();
        assert!(wrong.contains("no JavaScript") && wrong.ends_with("(line 3)"), "{wrong}");
        for text in ["function (", "}", "return 1", &"(".repeat(30_000)] {
            assert!(check_syntax(text).is_err() && check(text).is_err());
        }
    }

    #[test]
    fn a_script_without_the_function_is_told_before_anybody_is_mapped_by_it() {
        for script in [
            DEFAULT_SCRIPT,
            "var mapSourceUser = function (v) { return v; };\nmapSourceUser(sourceUserValue);",
            "const mapSourceUser = v => /@acme/.test(v) ? v : null;",
            "var mapSourceUser = (function (v) { return null; })(sourceUserValue);",
            "(function mapSourceUser(v) { return v; })(sourceUserValue)",
            "(function mapSourceUser(v) { if (!/@acme/.test(v)) throw new Error('who?'); return v; })(sourceUserValue)",
            "function mapSourceUser(v) { for (;;) {} }",
        ] {
            assert_eq!(check(script), Ok(()), "{script}");
        }
        for script in [
            "",
            " \n",
            "// mapSourceUser",
            "function map(v) { return v; }",
            "v => v",
            "1",
            "throw 1",
            "mapSource",
        ] {
            let why = check(script).unwrap_err();
            assert!(why.contains("no function mapSourceUser"), "{script}: {why}");
        }
        assert!(
            check("for (;;) {}; function mapSourceUser(v) { return v; }").unwrap_err().contains("too long")
        );
    }

    #[test]
    fn there_is_nothing_outside_to_reach() {
        for name in [
            "require",
            "process",
            "module",
            "fetch",
            "XMLHttpRequest",
            "console",
            "setTimeout",
            "std",
            "os",
            "bjson",
            "print",
            "load",
            "read",
            "Worker",
            "WebAssembly",
            "Deno",
            "navigator",
        ] {
            let script = format!("function mapSourceUser() {{ return typeof {name}; }}");
            assert_eq!(map(&script), some("undefined"), "{name}");
        }
        // What it would give is a promise, which nobody waits for.
        let import = "import('fs').then(fs => { globalThis.mapSourceUser = () => 'opened'; });";
        assert!(matches!(map(import), Err(ScriptError::NoText(_))), "{:?}", map(import));
        assert!(map("import fs from 'fs'; 1").is_err());
    }

    #[test]
    fn what_does_not_end_is_stopped() {
        for script in [
            "for (;;) {}",
            "for (;;) { try { for (;;) {} } catch (e) {} finally {} }",
            "/(a+)+$/.test('a'.repeat(40) + 'b')",
            "for (;;) { try { /(a+)+$/.test('a'.repeat(40) + 'b') } catch (e) {} }",
            "function* g() { for (;;) yield 1; } for (const x of g()) {}",
            "var a = []; for (;;) { a.push(1); a.pop(); }",
            "Object.defineProperty(globalThis, 'mapSourceUser', { get() { for (;;) {} } })",
            "'' + { toString() { for (;;) {} } }",
        ] {
            assert_eq!(map(script), Err(ScriptError::TooLong), "{script}");
        }
    }

    #[test]
    fn nothing_of_one_person_reaches_the_next() {
        let script = "Object.prototype.seen = (Object.prototype.seen || 0) + 1; globalThis.n = (globalThis.n || 0) + 1;
            function mapSourceUser(v) { return v + ({}).seen + n; }";
        for _ in 0..3 {
            assert_eq!(run(script, "a"), some("a11"));
        }
        let poison = "Array.prototype.map = null; String.prototype.split = null; Object.prototype.toString = null; 'x'";
        assert_eq!(map(poison), some("x"));
        assert_eq!(map(DEFAULT_SCRIPT), some("Ana@acme.example"));
        let quotes = "\u{2028}'\"\\`${x}\u{0}";
        assert_eq!(run(DEFAULT_SCRIPT, quotes), Ok(Some(quotes.trim().to_owned())));
    }
}

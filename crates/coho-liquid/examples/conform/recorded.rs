//! Templates that LiquidJS answered, and what Coho gives for them: the recordings of `fixtures/liquidjs`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use coho_core::json;
use coho_core::problem::Problem;
use coho_core::value::Value;
use coho_liquid::{CompileScope, Context, TemplateSettings, compile};

use super::dialect::{DATA, DECISIONS, Follows};
use super::{differences, page};

/// A template with its data, to be answered.
#[derive(Debug)]
pub(crate) struct Request {
    /// Which recording it belongs to.
    pub(crate) recording: &'static str,
    pub(crate) template: String,
    pub(crate) data: Rc<Value>,
}

/// The recordings of generated templates, each with the file of `fixtures/liquidjs` that it is generated from.
pub(crate) const GENERATED: [(&str, &str); 2] = [("recorded", "combinations"), ("recorded-wide", "wide")];

/// Everything that LiquidJS is asked, from the texts of the files of combinations.
pub(crate) fn requests(combinations: [(&'static str, &str); 2]) -> Result<Vec<Request>, String> {
    let mut requests = Vec::new();
    let shared = Rc::new(json::parse(DATA).map_err(|error| error.to_string())?);
    for decision in DECISIONS {
        let template = decision.template.to_owned();
        requests.push(Request { recording: "dialect", template, data: Rc::clone(&shared) });
    }
    let (templates, data) = page::examples()?;
    let data = Rc::new(json::parse(&data).map_err(|error| error.to_string())?);
    for template in templates {
        requests.push(Request { recording: "reference", template, data: Rc::clone(&data) });
    }
    for (recording, text) in combinations {
        let (row, templates) = expand(text)?;
        let data = Rc::new(Value::Object(vec![("row".to_owned(), row)]));
        requests.extend(templates.into_iter().map(|template| Request {
            recording,
            template,
            data: Rc::clone(&data),
        }));
    }
    Ok(requests)
}

/// The row, and each template with each value and argument of its group, once.
fn expand(combinations: &str) -> Result<(Value, Vec<String>), String> {
    let file = json::parse(combinations).map_err(|error| error.to_string())?;
    let row = file.get("row").cloned().ok_or("no `row`")?;
    let Some(Value::Array(groups)) = file.get("groups") else { return Err("no `groups`".to_owned()) };
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    for group in groups {
        for template in texts(group, "templates") {
            for value in texts(group, "values") {
                for argument in texts(group, "arguments") {
                    let full = template.replace("$v", value).replace("$a", argument);
                    if seen.insert(full.clone()) {
                        all.push(full);
                    }
                }
            }
        }
    }
    Ok((row, all))
}

fn texts<'v>(group: &'v Value, name: &str) -> Vec<&'v str> {
    match group.get(name) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    }
}

/// What LiquidJS gives.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) value: Value,
    /// What it gives with what Coho makes of objects and of what is no date, if that is something else.
    pub(crate) with_choices: Option<Value>,
}

impl Answer {
    /// An answer of a suite that knows no other.
    pub(crate) fn plain(value: Value) -> Self {
        Self { value, with_choices: None }
    }
}

/// A template that Coho answers otherwise.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) template: String,
    pub(crate) liquidjs: String,
    pub(crate) coho: String,
    /// The case of the dialect table that says why, if one does.
    pub(crate) case: Option<&'static str>,
}

/// What a recording says beside Coho: how many answers are the same, and the others.
pub(crate) fn compare(
    requests: &[Request],
    recording: &str,
    text: &str,
) -> Result<(usize, Vec<Difference>), String> {
    let Value::Array(pairs) = json::parse(text).map_err(|error| error.to_string())? else {
        return Err("the recording is not a list".to_owned());
    };
    let answers: BTreeMap<&str, Answer> = pairs.iter().filter_map(pair).collect();
    let (mut same, mut differences) = (0, Vec::new());
    for request in requests.iter().filter(|request| request.recording == recording) {
        let answer = answers.get(request.template.as_str());
        let answer = answer.ok_or_else(|| format!("no answer is recorded for {}", request.template))?;
        let given = render(request);
        if agrees(&answer.value, &given) {
            same += 1;
            continue;
        }
        let case = differences::case(&request.template, answer, &given);
        let coho =
            given.map_or_else(|problem| format!("refused: {}", problem.message), |value| value.to_string());
        differences.push(Difference {
            template: request.template.clone(),
            liquidjs: answer.value.to_string(),
            coho,
            case,
        });
    }
    Ok((same, differences))
}

fn pair(pair: &Value) -> Option<(&str, Answer)> {
    let Value::Array(pair) = pair else { return None };
    let answer = Answer { value: pair.get(1)?.clone(), with_choices: pair.get(2).cloned() };
    Some((pair.first()?.as_text()?, answer))
}

fn render(request: &Request) -> Result<Value, Problem> {
    let scope = CompileScope::free().settings(TemplateSettings::lenient());
    let compiled = compile(&request.template, &scope).map_err(|mut problems| problems.swap_remove(0))?;
    compiled.render(&Context::free(&request.data))
}

fn agrees(answer: &Value, given: &Result<Value, Problem>) -> bool {
    match given {
        Err(_) => answer.get("error").is_some(),
        Ok(given) => same(answer, given),
    }
}

/// LiquidJS's undefined is null for Coho, and a member that is undefined is none.
pub(crate) fn same(answer: &Value, given: &Value) -> bool {
    match (answer, given) {
        (Value::Array(answers), Value::Array(given)) => {
            answers.len() == given.len()
                && answers.iter().zip(given).all(|(answer, given)| same(answer, given))
        }
        (Value::Object(_), Value::Null) => answer.get("undefined").is_some(),
        (Value::Object(answers), Value::Object(given)) => {
            let known = |name: &str| answer.get(name).cloned().unwrap_or(Value::Null);
            answers.len() <= given.len() && given.iter().all(|(name, value)| same(&known(name), value))
        }
        _ => answer == given,
    }
}

/// The cases of the dialect table in which Coho says that it does as LiquidJS does, or does not, against the recording.
pub(crate) fn untrue(requests: &[Request], recording: &str) -> Result<Vec<String>, String> {
    let (_, differences) = compare(requests, "dialect", recording)?;
    let differs = |template: &str| differences.iter().find(|difference| difference.template == template);
    let wrong =
        DECISIONS.iter().filter_map(|decision| match (decision.follows, differs(decision.template)) {
            (Follows::LiquidJs, Some(difference)) => Some(format!(
                "{}: LiquidJS gives {}, Coho {}",
                decision.template, difference.liquidjs, difference.coho
            )),
            (Follows::Ruby | Follows::Own, None) => {
                Some(format!("{}: LiquidJS gives the same", decision.template))
            }
            _ => None,
        });
    Ok(wrong.collect())
}

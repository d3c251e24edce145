//! A compiled template: what it was checked against, what it reads, and how it is rendered.

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::value::Value;

use super::ast::{Chain, Expr, Mark, Node, Part};
use super::branches::{self, Branch};
use super::context::Context;
use super::fault::{self, Fault, Span};
use super::filters::Filter;
use super::parser;
use super::render::Rendering;
use super::scope::{CompileScope, Reads};

/// A template, checked. It can be shared between threads.
#[derive(Debug)]
pub struct Template {
    source: String,
    nodes: Vec<Node>,
    scope: CompileScope,
    slots: usize,
    reads: Reads,
    volatile: bool,
    adds: bool,
    marks: Vec<(Option<usize>, Mark)>,
    parts: Vec<Part>,
}

/// Compiles a template, or finds everything that is wrong with it. Places are lines and columns of the template's own text;
/// [`super::Start`] moves them to the file that it stands in.
pub fn compile(source: &str, scope: &CompileScope) -> Result<Template, Vec<Problem>> {
    let budget = scope.settings.budget;
    if source.len() > budget.source {
        let message = format!("the template is {} bytes long; {} are allowed", source.len(), budget.source);
        let start = source.get(..80).unwrap_or_default();
        return Err(vec![
            Fault::new(Code::TEMPLATE_LIMIT, message)
                .at(Span::new(0, 1))
                .into_problem(start, fault::NO_PARTS),
        ]);
    }
    let mut parsed = parser::parse(source, scope);
    if !parsed.faults.is_empty() {
        let parts = &parsed.parts;
        return Err(parsed.faults.into_iter().map(|fault| fault.into_problem(source, parts)).collect());
    }
    let marks = branches::number(&mut parsed.nodes, &mut parsed.parts);
    Ok(Template {
        source: source.to_owned(),
        nodes: parsed.nodes,
        scope: scope.clone(),
        slots: parsed.slots,
        reads: parsed.reads,
        volatile: parsed.volatile,
        adds: parsed.adds,
        marks,
        parts: parsed.parts,
    })
}

impl Template {
    /// The columns that it reads: only they count when a row is compared with what was sent before.
    pub fn columns(&self) -> &Reads {
        &self.reads
    }

    /// Whether it reads the clock or the run, so that the same row may give another value next time.
    pub fn is_volatile(&self) -> bool {
        self.volatile
    }

    /// Whether it calls a filter that was added to those of the dialect.
    pub fn calls_added(&self) -> bool {
        self.adds
    }

    /// Its branches, in the order in which they stand; [`Context::watch`] notes which of them are taken.
    pub fn branches(&self) -> Vec<Branch> {
        let branch = |(part, mark): &(Option<usize>, Mark)| {
            branches::branch(*mark, &self.source, part.and_then(|part| self.parts.get(part)))
        };
        self.marks.iter().map(branch).collect()
    }

    /// The names of the snippets that it renders, itself or by another snippet.
    pub fn snippets(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.name.as_str())
    }

    /// The template's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is a lone `{{ … }}`, white space around it aside, whose value keeps its type.
    pub fn is_typed(&self) -> bool {
        self.lone().is_some()
    }

    /// Whether it can give null. Text is never null, nor is what most filters give: `{{ row.email | downcase }}` of null is empty.
    pub fn may_give_null(&self) -> bool {
        let Some(chain) = self.lone() else { return false };
        match (chain.filters.last(), &chain.head) {
            (Some(call), _) if call.filter.is_default() => call.args.first().is_none_or(Expr::may_be_nil),
            (Some(call), _) => call.filter.built_in().is_none_or(Filter::may_give_nil),
            (None, Some(head)) => head.may_be_nil(),
            (None, None) => true,
        }
    }

    /// Renders a row: a lone `{{ … }}` gives a value with its type, anything else text.
    pub fn render(&self, context: &Context<'_>) -> Result<Value, Problem> {
        let Some(chain) = self.lone() else { return self.render_text(context).map(Value::Text) };
        let mut rendering = self.rendering(context);
        let value = rendering.value(chain).and_then(|value| value.to_value(&rendering.scene.meter));
        value.map_err(|fault| fault.at(self.whole()).into_problem(&self.source, &self.parts))
    }

    /// Renders a row to text, whatever the template is.
    pub fn render_text(&self, context: &Context<'_>) -> Result<String, Problem> {
        let mut rendering = self.rendering(context);
        let mut out = String::new();
        match rendering.nodes(&self.nodes, &mut out) {
            Ok(_) => Ok(out),
            Err(fault) => Err(fault.at(self.whole()).into_problem(&self.source, &self.parts)),
        }
    }

    fn rendering<'a>(&'a self, context: &Context<'a>) -> Rendering<'a> {
        Rendering::new(&self.source, &self.scope, &self.parts, self.slots, context)
    }

    fn whole(&self) -> Span {
        Span::new(0, self.source.len())
    }

    fn lone(&self) -> Option<&Chain> {
        let blank = |node: &&Node| match node {
            Node::Text(span) => !span.of(&self.source).trim().is_empty(),
            _ => true,
        };
        let mut nodes = self.nodes.iter().filter(blank);
        match (nodes.next(), nodes.next()) {
            (Some(Node::Output(chain)), None) => Some(chain),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::TemplateSettings;
    use super::*;

    fn render(source: &str, row: &str, settings: TemplateSettings) -> Result<Value, Problem> {
        let row = coho_core::json::parse(row).unwrap();
        let template = compile(source, &CompileScope::free().settings(settings)).unwrap();
        template.render(&Context::row_object(&row))
    }

    #[test]
    fn templates_are_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Template>();
    }

    #[test]
    fn what_is_not_there_is_refused_unless_it_is_asked_for_with_care() {
        let strict = |source| render(source, r#"{"a":{"b":null}}"#, TemplateSettings::default());
        let problem = strict("{{ row.a.c }}").unwrap_err();
        assert_eq!((problem.code, problem.place.unwrap().column), (Code::UNDEFINED_VALUE, 4));
        assert!(strict("{{ row.a.b }}").unwrap().is_null());
        assert!(strict("{{ row.a.b.c }}").unwrap().is_null());
        assert_eq!(strict("{{ row.a.c | default: 1 }}").unwrap(), Value::Int(1));
        assert_eq!(strict("{% if row.a.c == nil %}x{% endif %}").unwrap(), Value::text("x"));
        assert!(render("{{ row.a.c }}", "{}", TemplateSettings::lenient()).unwrap().is_null());
    }

    #[test]
    fn what_is_no_date_is_a_problem_unless_the_setting_keeps_it() {
        let source = "{{ row.d | date: '%Y' }}";
        let problem = render(source, r#"{"d":"soon"}"#, TemplateSettings::default()).unwrap_err();
        assert_eq!(problem.to_string(), "cannot read \"soon\" as a date [unreadable-date]");
        assert_eq!(
            render(source, r#"{"d":"soon"}"#, TemplateSettings::lenient()).unwrap(),
            Value::text("soon")
        );
        assert!(render(source, r#"{"d":null}"#, TemplateSettings::default()).unwrap().is_null());
    }

    #[test]
    fn now_needs_a_clock_and_is_volatile() {
        let template = compile("{{ 'now' | date: '%F' }}", &CompileScope::free()).unwrap();
        assert!(template.is_volatile());
        let context = Context::free(&Value::Null);
        assert!(template.render(&context).is_err());
        let now = chrono::DateTime::from_timestamp(1_709_633_472, 0).unwrap();
        assert_eq!(template.render(&context.at(now)).unwrap(), Value::text("2024-03-05"));
        assert!(!compile("{{ row.d | date: '%F' }}", &CompileScope::free()).unwrap().is_volatile());
        assert!(compile("{{ run.id }}", &CompileScope::free()).unwrap().is_volatile());
    }
}

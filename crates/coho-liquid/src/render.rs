//! Renders a tree: nodes to text, chains to values. [`path`] finds values, [`logic`] compares them, [`loops`] repeats.

mod path;
mod logic;
mod loops;
mod snippet;

use std::collections::HashMap;

use coho_core::code::Code;
use coho_core::value::Value;

use super::ast::{Call, Called, Chain, Else, Evaluates, Expr, Mark, Node, Part, When};
use super::branches::Watch;
use super::budget::{Budget, Meter};
use super::context::{Context, Values};
use super::fault::Fault;
use super::filters::{Args, Body, Each, Filter, Input, equal, listed};
use super::scene::Scene;
use super::scope::CompileScope;
use super::text;
use super::value::Val;

/// What one rendering knows and has made so far.
pub(crate) struct Rendering<'a> {
    source: &'a str,
    parts: &'a [Part],
    scope: &'a CompileScope,
    values: Values<'a>,
    sync: Option<&'a Value>,
    run: Option<&'a Value>,
    watch: Option<&'a Watch>,
    pub(crate) scene: Scene<'a>,
    slots: Vec<Option<Val<'a>>>,
    /// The names that loops give their items, the outermost loop first, with what they mean outside of them.
    bound: Vec<(usize, Option<Val<'a>>)>,
    counters: Vec<(&'a str, i64)>,
    loops: Vec<loops::Frame<'a>>,
    tables: Vec<loops::Cell>,
    cycles: HashMap<String, usize>,
    /// Where `offset: continue` goes on, by the loop's name.
    continues: Vec<(&'a str, i64)>,
    /// What `ifchanged` rendered last; all of them share it.
    memory: Option<String>,
    /// Columns of JSON that were parsed.
    parsed: Vec<(usize, Val<'a>)>,
}

/// What a body asks of the loop around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    Break,
    Continue,
}

/// Whether a value that is not there may be asked for here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// By the template's settings.
    Refused,
    Allowed,
}

/// The values of a probe: none.
static NOTHING: Value = Value::Null;

impl<'a> Rendering<'a> {
    pub(crate) fn new(
        source: &'a str,
        scope: &'a CompileScope,
        parts: &'a [Part],
        slots: usize,
        context: &Context<'a>,
    ) -> Self {
        let meter = Meter::new(scope.settings.budget);
        let scene = Scene { meter, settings: &scope.settings, now: context.now };
        let mut rendering = Self::bare(source, scope, scene, context);
        rendering.parts = parts;
        rendering.slots = vec![None; slots];
        rendering
    }

    fn bare(source: &'a str, scope: &'a CompileScope, scene: Scene<'a>, context: &Context<'a>) -> Self {
        Self {
            source,
            parts: &[],
            scope,
            values: context.values,
            sync: context.sync,
            run: context.run,
            watch: context.watch,
            scene,
            slots: Vec::new(),
            bound: Vec::new(),
            counters: Vec::new(),
            loops: Vec::new(),
            tables: Vec::new(),
            cycles: HashMap::new(),
            continues: Vec::new(),
            memory: None,
            parsed: Vec::new(),
        }
    }

    /// Renders nodes to the end of a text.
    pub(crate) fn nodes(&mut self, nodes: &'a [Node], out: &mut String) -> Result<Flow, Fault> {
        for node in nodes {
            self.scene.meter.steps(1)?;
            let flow = self.node(node, out)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'a Node, out: &mut String) -> Result<Flow, Fault> {
        match node {
            Node::Text(span) => self.push(span.of(self.source), out)?,
            Node::Output(chain) => self.output(chain, out)?,
            Node::Assign { slot, chain } => {
                let value = self.value(chain)?;
                self.assign(*slot, value);
            }
            Node::Capture { slot, body } => {
                let mut text = String::new();
                let flow = self.nodes(body, &mut text)?;
                self.assign(*slot, Val::text(text));
                return Ok(flow);
            }
            Node::If { branches, otherwise } => {
                for branch in branches {
                    if self.holds(&branch.condition)? != branch.negated {
                        self.take(branch.mark);
                        return self.nodes(&branch.body, out);
                    }
                }
                return self.otherwise(otherwise.as_ref(), out);
            }
            Node::Case { subject, whens, otherwise } => {
                return self.case(subject, whens, otherwise.as_ref(), out);
            }
            Node::For(repeat) => return self.repeat(repeat, out),
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::Cycle { group, key, items } => self.cycle(group.as_ref(), key, items, out)?,
            Node::Increment(name) => {
                let count = self.count(name, 0, 1);
                self.push(&count.to_string(), out)?;
            }
            Node::Decrement(name) => {
                let count = self.count(name, -1, -1);
                self.push(&count.to_string(), out)?;
            }
            Node::IfChanged(body) => return self.if_changed(body, out),
            Node::Render(render) => self.snippet(render, out).map_err(|fault| fault.at(render.span))?,
        }
        Ok(Flow::On)
    }

    /// Notes that a branch is taken, if anybody wants to know.
    fn take(&self, mark: Mark) {
        if let Some(watch) = self.watch {
            watch.take(mark);
        }
    }

    fn otherwise(&mut self, otherwise: Option<&'a Else>, out: &mut String) -> Result<Flow, Fault> {
        let Some(Else { mark, body }) = otherwise else { return Ok(Flow::On) };
        self.take(*mark);
        self.nodes(body, out)
    }

    fn push(&self, text: &str, out: &mut String) -> Result<(), Fault> {
        self.scene.meter.output(text.len())?;
        out.push_str(text);
        Ok(())
    }

    fn output(&mut self, chain: &'a Chain, out: &mut String) -> Result<(), Fault> {
        let before = out.len();
        let value = self.value(chain)?;
        text::write(&value, out, &self.scene.meter)?;
        self.scene.meter.output(out.len() - before)
    }

    /// Gives a name a value for the rest of the template. Inside a loop whose items have this name, they keep it.
    fn assign(&mut self, slot: usize, value: Val<'a>) {
        match self.bound.iter_mut().find(|(bound, _)| *bound == slot) {
            Some((_, outside)) => *outside = Some(value),
            None => self.set(slot, value),
        }
    }

    fn set(&mut self, slot: usize, value: Val<'a>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(value);
        }
    }

    /// A counter's value, to which `before` is added before it is read and what is left of `by` afterwards.
    fn count(&mut self, name: &'a str, before: i64, by: i64) -> i64 {
        let known = self.counters.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or_else(|| {
            self.counters.push((name, 0));
            self.counters.len() - 1
        });
        let Some((_, count)) = self.counters.get_mut(at) else { return 0 };
        let read = *count + before;
        *count += by;
        read
    }

    fn holds(&mut self, condition: &'a Chain) -> Result<bool, Fault> {
        Ok(self.chain(condition, Missing::Allowed)?.is_true())
    }

    fn case(
        &mut self,
        subject: &'a Chain,
        whens: &'a [When],
        otherwise: Option<&'a Else>,
        out: &mut String,
    ) -> Result<Flow, Fault> {
        let subject = match self.chain(subject, Missing::Allowed)? {
            // As in LiquidJS, the words are texts here.
            Val::Blank | Val::Empty => Val::text(""),
            subject => subject,
        };
        let mut hit = false;
        for when in whens {
            if self.any_equal(&subject, &when.values)? {
                hit = true;
                self.take(when.mark);
                let flow = self.nodes(&when.body, out)?;
                if flow != Flow::On {
                    return Ok(flow);
                }
            }
        }
        if hit { Ok(Flow::On) } else { self.otherwise(otherwise, out) }
    }

    fn any_equal(&mut self, subject: &Val<'a>, values: &'a [Expr]) -> Result<bool, Fault> {
        for value in values {
            let value = self.expression(value, Missing::Allowed)?.unwrap_or(Val::Nil);
            if equal(subject, &value, &self.scene)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn cycle(
        &mut self,
        group: Option<&'a Expr>,
        key: &str,
        items: &'a [Expr],
        out: &mut String,
    ) -> Result<(), Fault> {
        let group = match group {
            None => String::new(),
            Some(group) => {
                let group = self.expression(group, Missing::Allowed)?.unwrap_or(Val::Nil);
                format!("{}:", text::text(&group, &self.scene.meter)?)
            }
        };
        let count = self.cycles.entry(format!("{group}:{key}")).or_insert(0);
        let at = *count % items.len().max(1);
        *count += 1;
        let Some(item) = items.get(at) else { return Ok(()) };
        let value = self.expression(item, Missing::Refused)?.unwrap_or(Val::Nil);
        let before = out.len();
        text::write(&value, out, &self.scene.meter)?;
        self.scene.meter.output(out.len() - before)
    }

    fn if_changed(&mut self, body: &'a [Node], out: &mut String) -> Result<Flow, Fault> {
        let mut text = String::new();
        let flow = self.nodes(body, &mut text)?;
        if self.memory.as_deref() != Some(&text) {
            out.push_str(&text);
            self.memory = Some(text);
        }
        Ok(flow)
    }

    /// A chain's value.
    pub(crate) fn value(&mut self, chain: &'a Chain) -> Result<Val<'a>, Fault> {
        self.chain(chain, Missing::Refused)
    }

    fn chain(&mut self, chain: &'a Chain, missing: Missing) -> Result<Val<'a>, Fault> {
        let defaulted = chain.filters.first().is_some_and(|call| call.filter.is_default());
        let missing = if defaulted { Missing::Allowed } else { missing };
        let head = match &chain.head {
            Some(head) => self.expression(head, missing)?,
            None => None,
        };
        let mut input = match (&head, &chain.head) {
            (Some(_), _) => Input::Value,
            (None, Some(_)) => Input::Undefined,
            (None, None) => Input::Nothing,
        };
        let mut value = head.unwrap_or(Val::Nil);
        for call in &chain.filters {
            self.scene.meter.steps(1)?;
            value = self.call(call, value, input).map_err(|fault| fault.at(call.span))?;
            input = Input::Value;
        }
        Ok(value)
    }

    fn call(&mut self, call: &'a Call, value: Val<'a>, input: Input) -> Result<Val<'a>, Fault> {
        let run = match &call.filter {
            Called::BuiltIn(Filter { body: Body::Plain(run), .. }) => run,
            Called::BuiltIn(Filter { body: Body::Each(each), .. }) => return self.each(*each, call, &value),
            Called::Added { name, run } => {
                return run.run(value, &call.args, self).map_err(|fault| fault.of(name));
            }
        };
        let mut args = Args { input, ..Args::default() };
        args.values.reserve_exact(call.args.len());
        for (at, expr) in call.args.iter().enumerate() {
            let value = self.expression(expr, Missing::Refused)?;
            if value.is_none() && at < 64 {
                args.undefined |= 1 << at;
            }
            args.values.push(value.unwrap_or(Val::Nil));
        }
        for (name, expr) in &call.named {
            args.named.push((*name, self.expression(expr, Missing::Refused)?.unwrap_or(Val::Nil)));
        }
        run(value, &args, &self.scene)
    }

    /// A filter that evaluates an expression for each item.
    fn each(&mut self, each: Each, call: &'a Call, input: &Val<'a>) -> Result<Val<'a>, Fault> {
        let Some((slot, condition)) = &call.each else { return Ok(Val::Nil) };
        let before = self.slots.get_mut(*slot).and_then(Option::take);
        let mut list = Vec::new();
        for item in listed(each, input, &self.scene)? {
            self.scene.meter.items(1)?;
            self.set(*slot, item.clone());
            list.push((item, self.chain(condition, Missing::Allowed)?));
        }
        if let Some(place) = self.slots.get_mut(*slot) {
            *place = before;
        }
        each.finish(list, &self.scene)
    }
}

impl<'a> Evaluates<'a> for Rendering<'a> {
    fn argument(&mut self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        Ok(self.expression(expr, Missing::Refused)?.unwrap_or(Val::Nil))
    }

    fn meter(&self) -> &Meter {
        &self.scene.meter
    }
}

/// Runs as much of a chain as consists of literals alone: what fails there fails for every row.
pub(crate) fn probe(chain: &Chain, scope: &CompileScope, source: &str) -> Option<Fault> {
    let head = chain.head.as_ref()?;
    if !head.is_constant() {
        return None;
    }
    let budget = Budget { steps: 2_000, values: 64 << 10, output: 64 << 10, ..Budget::default() };
    let context = Context::free(&NOTHING).at(chrono::DateTime::UNIX_EPOCH);
    let scene = Scene { meter: Meter::new(budget), settings: &scope.settings, now: context.now };
    let mut rendering = Rendering::bare(source, scope, scene, &context);
    let constant = |call: &&Call| {
        let plain =
            |filter: &Filter| matches!(filter.body, Body::Plain(_)) && call.args.len() >= filter.counts().0;
        call.each.is_none()
            && call.filter.built_in().is_some_and(plain)
            && call.args.iter().all(Expr::is_constant)
            && call.named.iter().all(|(_, value)| value.is_constant())
    };
    let mut value = rendering.expression(head, Missing::Allowed).map(|value| value.unwrap_or(Val::Nil));
    for call in chain.filters.iter().take_while(constant) {
        value = value
            .and_then(|value| rendering.call(call, value, Input::Value).map_err(|fault| fault.at(call.span)));
    }
    value.err().filter(|fault| fault.code() != Code::TEMPLATE_BUDGET)
}

// LiquidJS's side of `cargo xtask bench liquid`: `node liquidjs.mjs FILE`, where FILE has a line with the templates and a line
// of JSON for each row. Prints nanoseconds of this thread for all rows, by way of rendering, and the digest of the results.

import { readFileSync } from 'node:fs'
import { Context, Liquid, Value, toValueSync } from 'liquidjs'

const WARM = 20000

const [head, ...rows] = readFileSync(process.argv[2], 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))

const engine = new Liquid()
const text = engine.parse(head.text)
const lone = (field) => /^\{\{([^]*)\}\}$/.exec(field)?.[1].trim()
const scope = (row) => new Context({ row }, engine.options, undefined, { sync: true })

// A field that is no lone output is a text, and rendered from its parsed template in every way.
const rendered = (field) => {
  const parsed = engine.parse(field)
  return (_, context) => engine.renderSync(parsed, context)
}
const evaluated = (field) => {
  const expression = lone(field)
  return expression ? (_, context) => engine.evalValueSync(expression, context) : rendered(field)
}
const prepared = (field) => {
  const expression = lone(field)
  if (!expression) return rendered(field)
  const value = new Value(expression, engine)
  return (_, context) => toValueSync(value.value(context))
}

const all = (fields) => (row) => {
  const context = scope(row)
  return fields.map((field) => field(row, context))
}
const ways = {
  text: (row) => engine.renderSync(text, { row }),
  typed: all(head.fields.map(evaluated)),
  prepared: all(head.fields.map(prepared)),
}

const threadTime = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0])

let kept
const timed = (work) => {
  for (const row of rows.slice(0, WARM)) kept = work(row)
  const begun = threadTime()
  for (const row of rows) kept = work(row)
  return threadTime() - begun
}

const fnv = (digest, text) => {
  for (const byte of Buffer.from(text)) digest = Math.imul(digest ^ byte, 0x01000193)
  return digest
}
const digest = (typed) =>
  rows.reduce((digest, row) => fnv(fnv(digest, ways.text(row)), JSON.stringify(typed(row))), 0x811c9dc5) >>> 0

const answer = { node: process.version, digest: digest(ways.typed), digest_prepared: digest(ways.prepared) }
for (const [name, work] of Object.entries(ways)) answer[name] = timed(work)
console.log(JSON.stringify(answer))

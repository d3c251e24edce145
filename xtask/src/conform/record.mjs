// LiquidJS's side of `cargo xtask conform --liquidjs`: `node record.mjs FILE`, where each line of FILE is JSON with a template and the
// recording that it belongs to, and its data where that is not the data of the line before. Prints an object of recordings: lists of a template, what
// LiquidJS gives for it, and what it would give with Coho's objects and dates where that is something else.

import { readFileSync } from 'node:fs'
import { Liquid } from 'liquidjs'

const options = { timezoneOffset: 0, locale: 'en-US' }
const engine = new Liquid(options)

// The same with Coho's objects and dates. Objects are JSON in a text, have a size and a first pair, and are replaced by a default where they
// are empty. What is no date stays as it is: booleans, lists, texts without a year or with words that no date has, and days that are not there.
const withChoices = new Liquid(options)
const { size, first, default: fallback } = withChoices.filters
const isPlain = (value) => value != null && Object.getPrototypeOf(value) === Object.prototype
const toJson = (value) => JSON.stringify(value, (_, member) => member === undefined ? null : member)
withChoices.registerFilter('size', function (value) { return isPlain(value) ? Object.keys(value).length : size.call(this, value) })
withChoices.registerFilter('first', function (value) { return isPlain(value) ? Object.entries(value)[0] ?? null : first.call(this, value) })
withChoices.registerFilter('default', {
  raw: fallback.raw,
  handler: function (value, ...rest) {
    return isPlain(value) && Object.keys(value).length === 0 ? rest[0] : (fallback.handler ?? fallback).call(this, value, ...rest)
  }
})
const DATE_WORD = /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|am$|pm$|t$|z$|utc?$|gmt$|[ecmp][sd]t$)/i
const isDate = (value) => {
  if (typeof value !== 'string' || /^\d*$/.test(value)) return value === null || ['undefined', 'string', 'number'].includes(typeof value)
  const date = new Date(value)
  const day = /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)/.exec(value)
  if (day && new Date(`${day[0]}T00:00:00Z`).getUTCDate() !== Number(day[3])) return false
  const words = value.match(/[^\W\d_]+|_+/g) ?? []
  const numbers = value.replace(/\d+:.*/, '').match(/\d+/g)?.map(Number) ?? []
  const withYear = numbers[0] > 31 || numbers.length > (words.some((word) => /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i.test(word)) ? 1 : 2)
  return withYear && Math.abs(date.getUTCFullYear()) < 10000 && words.every((word) => DATE_WORD.test(word))
}
for (const name of ['date', 'date_to_xmlschema', 'date_to_rfc822', 'date_to_string', 'date_to_long_string']) {
  const write = withChoices.filters[name]
  withChoices.registerFilter(name, function (value, ...rest) { return isDate(value) ? write.call(this, value, ...rest) : value })
}
const plainText = Object.prototype.toString
const jsonText = function () { return isPlain(this) ? toJson(this) : plainText.call(this) }

// A lone output keeps its type, as it does for Coho.
const lone = (template) => /^\s*\{\{((?:(?!\{\{|\}\}|\{%)[^])*)\}\}\s*$/.exec(template)?.[1].replace(/^-|-$/g, '').trim()

// Nil is a thing of its own in LiquidJS; as a member or an item it is null, and half a character is shown as JSON can show it.
const plain = (value) => {
  const name = value?.constructor?.name
  if (name === 'NullDrop') return null
  if (name === 'EmptyDrop' || name === 'BlankDrop') return ''
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) }
  if (Array.isArray(value)) return value.map(plain)
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined).map(([key, member]) => [key, plain(member)]))
  }
  return value
}

const answer = (engine, template, data) => {
  try {
    const expression = lone(template)
    const value = expression ? engine.evalValueSync(expression, data) : engine.parseAndRenderSync(template, data)
    return value === undefined ? { undefined: true } : plain(value)
  } catch (error) {
    return { error: error.message.split(',')[0] }
  }
}

const recordings = {}
let shared
for (const line of readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')) {
  const { recording, template, data } = JSON.parse(line)
  shared = data ?? shared
  const list = (recordings[recording] ??= [])
  // Counters are kept in the data, so that each template has its own.
  const entry = [template, answer(engine, template, { ...shared })]
  Object.prototype.toString = jsonText
  const other = answer(withChoices, template, { ...shared })
  Object.prototype.toString = plainText
  if (JSON.stringify(other) !== JSON.stringify(entry[1])) entry.push(other)
  list.push(JSON.stringify(entry))
}
console.log(JSON.stringify(recordings))

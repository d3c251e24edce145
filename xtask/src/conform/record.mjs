// LiquidJS's side of `cargo xtask conform --liquidjs`: `node record.mjs FILE`, where each line of FILE is JSON with a template, its data and
// the recording that it belongs to. Prints an object of recordings: lists of pairs of a template and what LiquidJS gives for it.

import { readFileSync } from 'node:fs'
import { Liquid } from 'liquidjs'

const engine = new Liquid({ timezoneOffset: 0, locale: 'en-US' })

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

const answer = ({ template, data }) => {
  try {
    const expression = lone(template)
    const value = expression ? engine.evalValueSync(expression, data) : engine.parseAndRenderSync(template, data)
    return value === undefined ? { undefined: true } : plain(value)
  } catch (error) {
    return { error: error.message.split(',')[0] }
  }
}

const recordings = {}
for (const line of readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')) {
  const request = JSON.parse(line)
  const list = (recordings[request.recording] ??= [])
  list.push(JSON.stringify([request.template, answer(request)]))
}
console.log(JSON.stringify(recordings))

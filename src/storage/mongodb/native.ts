/** A resource in BSON, for mongosh and aggregation pipelines; answers come from the text, never from here. */
import { Decimal128, type Document, Long } from 'mongodb'
import { type Json, NumberText, type Resource } from '../../fhir/json.ts'

/** MongoDB takes 100 levels; the resource stands one below the top. */
const MAX_LEVELS = 90
/** Names that FHIR can have. Others, which could read as operators or paths, stay in the text only. */
const ELEMENT = /^_?[A-Za-z][A-Za-z0-9]*$/

/** Returns the resource in BSON: whole numbers as numbers, others as Decimal128 with all their digits; undefined where it is nested too deep. */
export function toNative(resource: Resource): Document | undefined {
  const native = convert(resource, 0)
  return native === TOO_DEEP ? undefined : (native as Document)
}

const TOO_DEEP = Symbol('too deep')

function convert(value: Json, level: number): unknown {
  if (value instanceof NumberText) return toNumber(value.text)
  if (typeof value !== 'object' || value === null) return value
  if (level > MAX_LEVELS) return TOO_DEEP
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) {
      const native = convert(item, level + 1)
      if (native === TOO_DEEP) return TOO_DEEP
      items.push(native)
    }
    return items
  }
  const object: Document = {}
  for (const name in value) {
    const member = value[name]
    if (member === undefined || !ELEMENT.test(name)) continue
    const native = convert(member, level + 1)
    if (native === TOO_DEEP) return TOO_DEEP
    object[name] = native
  }
  return object
}

function toNumber(text: string): number | Long | Decimal128 {
  if (/^-?[0-9]{1,18}$/.test(text)) {
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : Long.fromString(text)
  }
  try {
    return Decimal128.fromString(text)
  } catch {
    // More than 34 digits: the text keeps them all.
    return Number(text)
  }
}

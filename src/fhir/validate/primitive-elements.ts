/**
 * Elements with a primitive value, and their siblings `_name` that hold id and extensions.
 * https://hl7.org/fhir/R4/json.html#primitive
 */
import { isObject, type Json, type JsonObject, NumberText } from '../json.ts'
import { type CodeCheck, codeCheck } from './bindings.ts'
import { isFull, prefix, quoted, type Run, report } from './issues.ts'
import { type Format, NUMBER_FORMATS, STRING_FORMATS } from './primitives.ts'

type PropertyCheck = (value: Json, run: Run, owner: JsonObject) => void
type ValueCheck = (value: Json, run: Run) => void

/** Returns the check of the property `name` of a primitive type; `many` where it is an array. */
export function primitiveCheck(
  type: string,
  name: string,
  many: boolean,
  valueSet: string | undefined,
): PropertyCheck {
  const check = valueCheck(type, valueSet)
  if (!many) return check
  const sibling = `_${name}`
  return (value, run, owner) => {
    if (!Array.isArray(value)) {
      report(run, 'structure', '', 'This element may repeat, so that its value is an array. Put it into [ ].')
      return
    }
    if (value.length === 0) report(run, 'structure', '', 'The array is empty. Leave the element out instead.')
    for (let i = 0; i < value.length; i++) {
      const item = value[i]!
      const before = run.issues.length
      if (item === null) nullItem(owner[sibling], i, sibling, run)
      else check(item, run)
      if (run.issues.length === before) continue
      prefix(run, before, `[${i}]`)
      if (isFull(run)) return
    }
  }
}

/** A null holds the place of a value whose extensions stand at the same place in the sibling. */
function nullItem(siblings: Json | undefined, at: number, sibling: string, run: Run): void {
  if (Array.isArray(siblings) && isObject(siblings[at])) return
  report(
    run,
    'structure',
    '',
    `null stands only where ${sibling}[${at}] has extensions. Give a value or take it out.`,
  )
}

/** Returns the check of the property `_name`; `element` checks the objects of type Element. */
export function siblingCheck(
  name: string,
  many: boolean,
  element: (object: JsonObject, run: Run) => void,
): PropertyCheck {
  const one = (value: Json, hasValue: boolean, run: Run): void => {
    if (!isObject(value)) {
      report(run, 'structure', '', 'The value must be an object with id or extension.')
      return
    }
    if (!hasValue && value.extension === undefined && value.id !== undefined)
      report(
        run,
        'invariant',
        '',
        `The element has neither value nor extension (ele-1). Give ${name} a value or leave it out.`,
      )
    else element(value, run)
  }
  const isValue = (value: Json | undefined): boolean => value !== undefined && value !== null
  if (!many)
    return (value, run, owner) => {
      if (Array.isArray(value))
        report(
          run,
          'structure',
          '',
          `${name} does not repeat: its extensions stand in an object, not an array.`,
        )
      else one(value, isValue(owner[name]), run)
    }
  return (value, run, owner) => {
    if (!Array.isArray(value)) {
      report(
        run,
        'structure',
        '',
        `${name} may repeat, so that its extensions stand in an array. Put them into [ ].`,
      )
      return
    }
    const values = owner[name]
    if (value.length === 0) report(run, 'structure', '', 'The array is empty. Leave it out instead.')
    for (let i = 0; i < value.length; i++) {
      const item = value[i]!
      const hasValue = Array.isArray(values) && isValue(values[i])
      const before = run.issues.length
      if (item !== null) one(item, hasValue, run)
      else if (!hasValue && !(Array.isArray(values) && i < values.length))
        report(run, 'structure', '', `null stands only where ${name}[${i}] has a value. Take it out.`)
      if (run.issues.length === before) continue
      prefix(run, before, `[${i}]`)
      if (isFull(run)) return
    }
  }
}

function valueCheck(type: string, valueSet: string | undefined): ValueCheck {
  if (type === 'boolean') return booleanCheck
  const stringFormat = STRING_FORMATS[type]
  if (stringFormat !== undefined)
    return stringCheck(type, stringFormat, valueSet === undefined ? undefined : codeCheck(valueSet))
  const numberFormat = NUMBER_FORMATS[type]
  if (numberFormat !== undefined) return numberCheck(type, numberFormat)
  throw new Error(`there is no primitive type ${type}`)
}

const LINK = /^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/

function booleanCheck(value: Json, run: Run): void {
  if (typeof value !== 'boolean') wrongKind(value, 'true or false, without quotes', run)
}

function stringCheck(type: string, format: Format, bound: CodeCheck | undefined): ValueCheck {
  return (value, run) => {
    if (typeof value !== 'string') return wrongKind(value, `a string (${type})`, run)
    const fault = format(value)
    if (fault !== undefined) {
      if (!(run.linked && (type === 'uuid' || type === 'oid') && LINK.test(value)))
        report(run, 'value', '', `${quoted(value)} ${fault}.`)
    } else if (bound !== undefined) {
      const invalid = bound(value)
      if (invalid !== undefined) report(run, 'code-invalid', '', `${quoted(value)} ${ended(invalid)}`)
    }
  }
}

function numberCheck(type: string, format: Format): ValueCheck {
  return (value, run) => {
    if (!(value instanceof NumberText)) return wrongKind(value, `a number (${type}), without quotes`, run)
    const fault = format(value.text)
    if (fault !== undefined) report(run, 'value', '', `${value.text.slice(0, 60)} ${fault}.`)
  }
}

const ended = (text: string): string => (text.endsWith('?') ? text : `${text}.`)

function wrongKind(value: Json, wanted: string, run: Run): void {
  if (value === null)
    report(run, 'structure', '', `null is not a value in FHIR. Give ${wanted} or leave the element out.`)
  else if (Array.isArray(value))
    report(
      run,
      'structure',
      '',
      `This element does not repeat: its value is ${wanted}, not an array. Take it out of the [ ].`,
    )
  else report(run, 'structure', '', `The value must be ${wanted}.`)
}

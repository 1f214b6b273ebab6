/**
 * The formats of the primitive types.
 * https://hl7.org/fhir/R4/datatypes.html#primitive
 */
import { dateFault, dateTimeFault, instantFault, timeFault } from './dates.ts'

/** Returns what is wrong with the text of a value, to follow the value in a sentence; undefined where nothing is. */
export type Format = (text: string) => string | undefined

const MAX_STRING = 1024 * 1024
// Strings hold no control characters but tab, line feed and carriage return.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/
// Without a repeated group: on megabytes of text that would overflow the stack.
const MISPLACED_SPACE = /^\s|\s\s|\s$/
const ID = /^[A-Za-z0-9\-.]{1,64}$/
const OID = /^urn:oid:[0-2]\.[0-9.]*[0-9]$/
const BAD_ARC = /\.(?:\.|0[0-9])/
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const SPACE = /\s/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const INTEGER = /^(?:0|-?[1-9][0-9]{0,9})$/

const string: Format = text => {
  if (text.length === 0) return 'is empty. Leave the element out instead'
  if (text.length > MAX_STRING) return `has ${text.length} characters. A string has at most ${MAX_STRING}`
  if (CONTROL.test(text))
    return 'has a control character. Only tab, line feed and carriage return are allowed'
  if (!text.isWellFormed()) return 'has half of a surrogate pair, which is no character'
  return undefined
}

const uri =
  (name: string): Format =>
  text =>
    text.length > 0 && !SPACE.test(text) ? undefined : `is not a ${name}. It must not be empty or hold spaces`

const code: Format = text =>
  text.length > 0 && !MISPLACED_SPACE.test(text) && string(text) === undefined
    ? undefined
    : 'is not a code. A code has no space at either end and never two in a row'

const base64Binary: Format = text => {
  const plain = SPACE.test(text) ? text.replace(/\s+/g, '') : text
  return plain.length > 0 && plain.length % 4 === 0 && BASE64.test(plain)
    ? undefined
    : 'is not base64: groups of four of A-Z a-z 0-9 + /, the last filled up with ='
}

function xhtml(text: string): string | undefined {
  const tag = /^\s*<div\b[^>]*>/.exec(text)
  if (tag === null) return 'is not a narrative. It begins with a <div> element'
  if (!/\sxmlns\s*=\s*["']http:\/\/www\.w3\.org\/1999\/xhtml["']/.test(tag[0]))
    return 'lacks the namespace. Write <div xmlns="http://www.w3.org/1999/xhtml">'
  return text.isWellFormed() ? undefined : 'has half of a surrogate pair, which is no character'
}

const MAX_INTEGER = 2_147_483_647

const integer =
  (name: string, least: number): Format =>
  text => {
    const value = INTEGER.test(text) ? Number(text) : Number.NaN
    return value >= least && value <= MAX_INTEGER
      ? undefined
      : `is not ${name}. Write a whole number from ${least} to ${MAX_INTEGER}, without fraction or exponent`
  }

/** Types whose JSON is a string. */
export const STRING_FORMATS: Readonly<Record<string, Format>> = {
  string,
  markdown: string,
  code,
  id: text =>
    ID.test(text) ? undefined : 'is not an id. An id has 1 to 64 letters, digits, hyphens and dots',
  uri: uri('uri'),
  url: uri('url'),
  canonical: uri('canonical'),
  oid: text =>
    OID.test(text) && !BAD_ARC.test(text)
      ? undefined
      : 'is not an oid. Write urn:oid: and an OID such as 1.2.3',
  uuid: text =>
    UUID.test(text) ? undefined : 'is not a uuid. Write urn:uuid: and a UUID with small letters',
  date: dateFault,
  dateTime: dateTimeFault,
  instant: instantFault,
  time: timeFault,
  base64Binary,
  xhtml,
}

/** Types whose JSON is a number; the text is as it was sent. A decimal may be any JSON number, in any precision. */
export const NUMBER_FORMATS: Readonly<Record<string, Format>> = {
  decimal: () => undefined,
  integer: integer('an integer', -2_147_483_648),
  unsignedInt: integer('an unsignedInt', 0),
  positiveInt: integer('a positiveInt', 1),
}

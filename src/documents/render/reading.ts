/** What the reading of a document's resources needs: references followed inside the Bundle, the zone, and how far it may go. */
import { fhirError } from '../../fhir/error.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { OPEN, STOPPED } from '../standing.ts'
import type { Cell, Line, RenderLimits } from './sheet.ts'
import { alert, muted } from './sheet.ts'
import { all, isTrue, joined, one, text } from './tree.ts'
import { codeWords, conceptText, hasCode, personName } from './words.ts'

export interface Reading {
  zone: string
  limits: RenderLimits
  /** Date or dateTime of the document. */
  date: string | undefined
  /** Returns the resource that a Reference of `from` points to; undefined where it is not in the Bundle. */
  resolve(reference: JsonObject | undefined, from?: JsonObject): JsonObject | undefined
  /** Bytes of images shown so far. */
  imageBytes: number
  /** Characters of reports shown so far. */
  reported: number
}

/**
 * Returns the resources of a document by what references to them can say: fullUrl, and `Type/id`. It throws `too-costly` (413) when it has
 * followed more references than `limit`: what refers to each other can be shown in more ways than there is time for.
 */
export function resolver(bundle: Resource, limit: number): Reading['resolve'] {
  let followed = 0
  const known = new Map<string, JsonObject>()
  const keep = (key: string | undefined, resource: JsonObject): void => {
    if (key !== undefined && !known.has(key)) known.set(key, resource)
  }
  for (const entry of all(bundle, 'entry')) {
    const resource = one(entry, 'resource')
    if (resource === undefined) continue
    const url = text(entry, 'fullUrl')
    keep(url, resource)
    if (url !== undefined) keep(/[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(url)?.[0], resource)
    keep(joined([text(resource, 'resourceType'), text(resource, 'id')], '/'), resource)
  }
  return (reference, from) => {
    const target = text(reference, 'reference')
    if (target === undefined) return undefined
    if (++followed > limit)
      throw fhirError('too-costly', `A document with more than ${limit} references is not rendered.`)
    if (target.startsWith('#'))
      return all(from, 'contained').find(each => text(each, 'id') === target.slice(1))
    const current = target.replace(/\/_history\/[A-Za-z0-9\-.]+$/, '')
    return known.get(target) ?? known.get(current)
  }
}

/** A name that many refer to is repeated as often, so it is not repeated whole. */
const LONGEST = 300

/** Returns whom or what a Reference is about: as it is displayed, else by the name of its target. */
export function referenceText(
  reading: Reading,
  reference: JsonObject | undefined,
  from?: JsonObject,
): string | undefined {
  const display = text(reference, 'display')
  if (display !== undefined) return display
  const target = reading.resolve(reference, from)
  const found = target === undefined ? text(one(reference, 'identifier'), 'value') : labelOf(reading, target)
  return found !== undefined && found.length > LONGEST ? `${found.slice(0, LONGEST)}\u2026` : found
}

/** Returns the texts of several References. */
export const referencesText = (
  reading: Reading,
  references: readonly JsonObject[],
  from?: JsonObject,
): string | undefined => joined(references.map(each => referenceText(reading, each, from)))

/** Returns what a resource is called. */
export function labelOf(reading: Reading, resource: JsonObject): string | undefined {
  const type = text(resource, 'resourceType')
  if (type === 'PractitionerRole')
    return (
      referenceText(reading, one(resource, 'practitioner'), resource) ??
      referenceText(reading, one(resource, 'organization'), resource)
    )
  return (
    personName(resource) ??
    text(resource, 'name') ??
    text(resource, 'title') ??
    conceptText(one(resource, 'code')) ??
    conceptText(one(resource, 'vaccineCode')) ??
    conceptText(one(resource, 'type')) ??
    text(resource, 'description')
  )
}

export interface Standing {
  /** It is not true: shown struck through. */
  wrong: boolean
  /** What has to be said of it. */
  lines: Line[]
}

/** Returns how a resource stands: whether it is to be believed, and what must be said with it. */
export function standingOf(resource: JsonObject): Standing {
  const states = [
    text(resource, 'status'),
    ...['verificationStatus', 'clinicalStatus'].flatMap(name =>
      all(one(resource, name), 'coding').map(coding => text(coding, 'code')),
    ),
  ].filter(state => state !== undefined)
  const lines: Line[] = []
  const reason = conceptText(one(resource, 'statusReason'))
  for (const state of new Set(states)) {
    if (STOPPED.has(state)) lines.push(alert(joined([state.replace(/-/g, ' ').toUpperCase(), reason], ': ')!))
    if (OPEN.has(state)) lines.push(muted(codeWords(state)!))
  }
  if (isTrue(resource, 'doNotPerform')) lines.push(alert('NOT TO BE DONE'))
  if (all(resource, 'modifierExtension').length > 0)
    lines.push(alert('Its meaning is changed by an extension that is not shown here: see the record.'))
  const wrong =
    states.includes('entered-in-error') ||
    hasCode(one(resource, 'verificationStatus'), ['entered-in-error', 'refuted'])
  return { wrong, lines }
}

/** Returns the first cell of a row: what it is about, struck through where that is wrong, with what must be said of it. */
export function subject(
  resource: JsonObject,
  name: string | undefined,
  ...more: (string | undefined)[]
): Cell {
  const { wrong, lines } = standingOf(resource)
  const first = { text: name ?? 'Not named', bold: true, struck: wrong }
  const others = more.filter(each => each !== undefined).map((each): Line => [{ text: each, tone: 'muted' }])
  return [[first], ...others, ...lines]
}

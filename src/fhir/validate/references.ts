/**
 * Whether a Reference is written as one, and points to a type that its element allows.
 * https://hl7.org/fhir/R4/references.html#Reference
 */
import { isResourceType } from '../definitions/resource-types.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { listed, quoted, type Run, report } from './issues.ts'

const RELATIVE = /^([A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/
const CONDITIONAL = /^([A-Za-z]+)\?\S+$/
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$/
const TYPE_IN_URL =
  /^https?:\/\/[^\s?#]*\/([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/
const UUID = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Reports what is wrong with a Reference whose elements are known to be sound. `targets` are the types allowed, if not all.
 *
 * The type in a URL is not held against the targets: only resolving tells what is there, and HL7's own examples would fail (a prescription
 * to be dispensed by a Practitioner), which HAPI accepts. Held against them are contained resources and the type that the Reference states.
 */
export function checkReference(
  reference: JsonObject,
  targets: readonly string[] | undefined,
  run: Run,
): void {
  const text = reference.reference
  const found = typeof text === 'string' ? literalType(text, run) : undefined
  const stated =
    typeof reference.type === 'string' && isResourceType(reference.type) ? reference.type : undefined
  if (found !== undefined && stated !== undefined && stated !== found)
    report(
      run,
      'value',
      '.type',
      `The type is ${stated}, yet the reference points to ${article(found)}. Correct one of them.`,
      'reference-target',
    )
  if (targets === undefined) return
  if (stated !== undefined && !targets.includes(stated)) wrongTarget('.type', stated, targets, run)
  else if (found !== undefined && (text as string).charCodeAt(0) === 35 && !targets.includes(found))
    wrongTarget('.reference', found, targets, run)
}

function wrongTarget(place: string, type: string, targets: readonly string[], run: Run): void {
  const sentence = `${article(type)} is not allowed here. Refer to ${listed(targets)}.`
  report(run, 'value', place, sentence[0]!.toUpperCase() + sentence.slice(1), 'reference-target')
}

/** Returns the resource type that a literal reference names, where it names one; reports bad syntax. */
function literalType(text: string, run: Run): string | undefined {
  if (text.charCodeAt(0) === 35) return fragmentType(text, run)
  const relative = RELATIVE.exec(text)
  if (relative !== null) return knownType(relative[1]!, run)
  if (ABSOLUTE.test(text)) {
    if (text.startsWith('urn:uuid:') && !UUID.test(text)) badUrn(text, 'urn:uuid: and a UUID', run)
    if (text.startsWith('urn:oid:') && !OID.test(text)) badUrn(text, 'urn:oid: and an OID', run)
    const type = TYPE_IN_URL.exec(text)?.[1]
    // A URL need not be that of a FHIR server, so that an unknown type in it is no fault.
    return type !== undefined && isResourceType(type) ? type : undefined
  }
  const conditional = CONDITIONAL.exec(text)
  if (conditional !== null && isResourceType(conditional[1]!)) {
    if (run.conditionalReferences) return conditional[1]
    report(
      run,
      'value',
      '.reference',
      `${quoted(text)} is a conditional reference, which only a transaction Bundle may hold. Write Type/id.`,
    )
    return undefined
  }
  report(
    run,
    'value',
    '.reference',
    `${quoted(text)} is not a reference. Write Type/id, Type/id/_history/version, an absolute URL, urn:uuid:, urn:oid: or #id.`,
  )
  return undefined
}

function knownType(type: string, run: Run): string | undefined {
  if (isResourceType(type)) return type
  report(
    run,
    'value',
    '.reference',
    `There is no resource type ${quoted(type)}. Write Type/id with a type of R4.`,
  )
  return undefined
}

function badUrn(text: string, syntax: string, run: Run): void {
  report(run, 'value', '.reference', `${quoted(text)} is malformed. Write ${syntax}.`)
}

/** `#` alone is the container itself, and `#id` a resource contained in it. */
function fragmentType(text: string, run: Run): string | undefined {
  const container = run.container
  if (container === undefined) return undefined
  if (text.length === 1) return typeOf(container)
  run.contained ??= containedTypes(container)
  const id = text.slice(1)
  const type = run.contained.get(id)
  if (type === undefined)
    report(
      run,
      'value',
      '.reference',
      `No contained resource has the id ${quoted(id)}. Contain it or refer to another.`,
      'ref-1',
    )
  return type === undefined || type === '' ? undefined : type
}

function containedTypes(container: JsonObject): Map<string, string> {
  const types = new Map<string, string>()
  if (Array.isArray(container.contained))
    for (const item of container.contained)
      if (isObject(item) && typeof item.id === 'string') types.set(item.id, typeOf(item) ?? '')
  return types
}

function typeOf(resource: Json): string | undefined {
  const type = isObject(resource) ? resource.resourceType : undefined
  return typeof type === 'string' && isResourceType(type) ? type : undefined
}

const article = (type: string): string => `${/^[AEIO]/.test(type) ? 'an' : 'a'} ${type}`

/**
 * Extensions: that their definition is known, that they may stand where they do, and that they are what it says.
 * https://hl7.org/fhir/R4/extensibility.html, https://hl7.org/fhir/R4/defining-extensions.html
 */
import type { Structure } from '../../definitions/structure.ts'
import { isObject } from '../../json.ts'
import { listed, quoted } from '../issues.ts'
import { elementRule, isA } from './core.ts'
import { invariantTest } from './invariants.ts'
import { contextTest } from './path-test.ts'
import { placeOf, type Spot } from './spot.ts'
import { report, take, type Walk } from './walk.ts'

/** Checks one extension; what is in it is checked by its definition and by R4. */
export function checkExtension(spot: Spot, walk: Walk): void {
  const extension = spot.value
  if (!isObject(extension) || typeof extension.url !== 'string') return
  const { url } = extension
  const modifier = spot.element === 'modifierExtension'
  if (!url.includes(':')) {
    // Within another extension, the url names one of the parts that its definition lists.
    if (spot.up?.type !== 'Extension')
      report(
        walk,
        'error',
        'extension',
        'extension-unknown',
        spot,
        () => `The url ${quoted(url)} is not absolute. Write the canonical of the extension's definition.`,
        '.url',
      )
    return
  }
  const definition = walk.find(url)
  if (definition === undefined) return
  if (definition === null) {
    if (modifier)
      report(
        walk,
        'error',
        'extension',
        'extension-unknown',
        spot,
        () =>
          `The modifier extension ${quoted(url)} is not known here, so that what it changes is not known either. Install the package that defines it, or leave it out.`,
      )
    else
      report(
        walk,
        'information',
        'extension',
        'extension-unknown',
        spot,
        () =>
          `The extension ${quoted(url)} is not known here and was not checked. Install the package that defines it if it should be.`,
      )
    return
  }
  if (definition.type !== 'Extension') {
    report(
      walk,
      'error',
      'extension',
      'extension-unknown',
      spot,
      () =>
        `${url} does not define an extension but a ${definition.type}. Use the canonical of an extension.`,
      '.url',
    )
    return
  }
  const isModifier = definition.elements[0]?.modifier === true
  if (isModifier !== modifier)
    report(walk, 'error', 'extension', 'extension-modifier', spot, () =>
      isModifier
        ? `${url} defines a modifier extension. Move it to modifierExtension.`
        : `${url} does not define a modifier extension. Move it to extension.`,
    )
  checkContext(spot, definition, walk)
  const found = walk.conform(spot, url)
  if (found !== undefined) take(walk, found)
}

/** Extensions that R4's own definitions carry in places which their definitions do not name. */
const USED_ELSEWHERE: ReadonlySet<string> = new Set(
  [
    'regex',
    'structuredefinition-fhir-type',
    'structuredefinition-normative-version',
    'translation',
    'valueset-concept-comments',
  ].map(name => `http://hl7.org/fhir/StructureDefinition/${name}`),
)

function checkContext(spot: Spot, definition: Structure, walk: Walk): void {
  const owner = spot.up
  if (owner === undefined) return
  if (
    definition.context.length > 0 &&
    !USED_ELSEWHERE.has(definition.url) &&
    !definition.context.some(one => allows(one, owner, walk))
  )
    report(walk, 'error', 'extension', 'extension-context', spot, () => {
      const places = definition.context.map(({ type, expression }) =>
        type === 'extension' ? `the extension ${expression}` : expression,
      )
      return `The extension ${definition.url} is not allowed on ${definitionPath(owner)}. It may stand on ${listed(places)}.`
    })
  for (const expression of definition.contextInvariant)
    if (invariantTest(expression)(owner, walk) === false)
      report(
        walk,
        'error',
        'extension',
        'extension-context',
        spot,
        () =>
          `The extension ${definition.url} is not allowed here: its definition wants ${quoted(expression)} to be true.`,
      )
}

function allows({ type, expression }: Structure['context'][number], owner: Spot, walk: Walk): boolean {
  if (type === 'extension')
    return isObject(owner.value) && owner.type === 'Extension' && owner.value.url === expression
  if (type === 'fhirpath') return contextTest(expression)(owner, walk) !== false
  // A profile before `#` narrows where the element is; whether the resource conforms to it is told where it is claimed.
  const hash = expression.indexOf('#')
  const path = hash < 0 ? expression : expression.slice(hash + 1)
  // Resources are elements here: R4's own carry extensions that are for any element.
  if (path === 'Element') return true
  if (path.startsWith('http')) return isA(owner.type, path.slice(path.lastIndexOf('/') + 1))
  if (!path.includes('.'))
    return isA(owner.type, path) || path === 'CanonicalResource' || isReferred(owner, path)
  for (let at: Spot | undefined = owner, tail = ''; at !== undefined; at = at.up) {
    const dot = path.length - tail.length
    if (isA(at.type, path.slice(0, dot)) && path.slice(dot) === tail) return true
    if (tail !== '' && path.endsWith(tail) && ancestorsMatch(at.type, path.slice(0, dot))) return true
    tail = `.${at.element}${tail}`
    if (tail.length > path.length) break
    if (!path.endsWith(tail) && !path.endsWith(tail.replaceAll('[x]', ''))) break
  }
  return false
}

const ancestorsMatch = (type: string, path: string): boolean => type === path

/** An element that is defined by reference to another (`Questionnaire.item.item`) is that as well. */
const isReferred = (owner: Spot, path: string): boolean =>
  owner.up !== undefined && elementRule(owner.up.type, owner.element)?.contentReference === `#${path}`

/** `Patient.contact.name`, the element as a definition names it. */
function definitionPath(spot: Spot): string {
  return placeOf(spot).replace(/\[\d+\]/g, '')
}

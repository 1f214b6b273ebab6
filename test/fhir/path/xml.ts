/** The XML of the official suite: its cases, and its resources as the JSON that R4 has for them. https://hl7.org/fhir/R4/xml.html */
import { elementsOf, isPrimitive, jsonName, RESOURCES } from '../../../src/fhir/definitions/types.ts'
import { type JsonObject, NumberText } from '../../../src/fhir/json.ts'

export interface Element {
  name: string
  attributes: Record<string, string>
  children: Element[]
  /** All text directly inside. */
  text: string
  /** From the first bracket to the last. */
  source: string
}

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|[^<]+/g
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

const decode = (text: string): string =>
  text.replace(/&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(\w+));/g, (whole, hex, number, name) =>
    name === undefined
      ? String.fromCodePoint(hex === undefined ? Number(number) : Number.parseInt(hex, 16))
      : (ENTITIES[name] ?? whole),
  )

/** Returns the root element of a well-formed document of the suite. */
export function parseXml(source: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '', source: '' }
  const open: { element: Element; start: number }[] = [{ element: root, start: 0 }]
  for (const match of source.matchAll(TOKEN)) {
    const [whole, close, name, attributes, empty] = match
    const parent = open.at(-1)!.element
    if (name === undefined) {
      if (!whole.startsWith('<')) parent.text += decode(whole)
    } else if (close === '/') {
      const { element, start } = open.pop()!
      if (element.name !== name) throw new Error(`</${name}> closes <${element.name}>`)
      element.source = source.slice(start, match.index + whole.length)
    } else {
      const element: Element = { name, attributes: {}, children: [], text: '', source: whole }
      for (const [, key, double, one] of attributes!.matchAll(ATTRIBUTE))
        element.attributes[key!] = decode(double ?? one!)
      parent.children.push(element)
      if (empty === '') open.push({ element, start: match.index })
    }
  }
  return root.children[0]!
}

/** Returns a resource's XML as its JSON. */
export function resourceOf(element: Element): JsonObject {
  return { resourceType: element.name, ...complex(element, element.name) }
}

function complex(element: Element, type: string): JsonObject {
  const object: JsonObject = {}
  for (const name of ['id', 'url'])
    if (element.attributes[name] !== undefined) object[name] = element.attributes[name]
  for (const child of element.children) {
    const found = elementsOf(type)!
      .flatMap(info => info.types.map(of => ({ info, of, key: jsonName(info, of) })))
      .find(({ key }) => key === child.name)
    if (found === undefined) throw new Error(`${type} has no ${child.name}`)
    const { info, of, key } = found
    if (of === 'Resource') {
      const [inner] = child.children
      add(object, key, resourceOf(RESOURCES.includes(inner!.name) ? inner! : child), info.max > 1)
    } else if (!isPrimitive(of)) add(object, key, complex(child, of), info.max > 1)
    else if (of === 'xhtml') add(object, key, child.source, false)
    else {
      const side = complex({ ...child, attributes: { id: child.attributes.id! } }, 'Element')
      if (child.attributes.id === undefined) delete side.id
      const { value } = child.attributes
      if (value !== undefined) add(object, key, primitive(value, of), info.max > 1)
      if (Object.keys(side).length > 0) add(object, `_${key}`, side, info.max > 1)
    }
  }
  return object
}

function primitive(value: string, type: string): NumberText | string | boolean {
  if (type === 'boolean') return value === 'true'
  return /^(?:decimal|integer|positiveInt|unsignedInt)$/.test(type) ? new NumberText(value) : value
}

function add(
  object: JsonObject,
  key: string,
  value: JsonObject | NumberText | string | boolean,
  repeats: boolean,
): void {
  if (!repeats) {
    object[key] = value
    return
  }
  const values = object[key]
  if (Array.isArray(values)) values.push(value)
  else object[key] = [value]
}

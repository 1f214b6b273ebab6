/** What an element of a definition says, laid out so that two definitions can be compared. */
import { type Element, HL7, ours, r4 } from './definitions.ts'

/** Returns what an element says, in a form in which order and wording play no part. */
export function rules(element: Element): Record<string, unknown> {
  const said: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(element))
    if (/^(min|max|sliceName|isModifier|fixed.+|pattern.+|(min|max)(Value|Length).*)$/.test(name))
      said[name] = value
  if (element.mustSupport === true) said.mustSupport = true
  // Newer tools write the reference to the base definition in full.
  if (element.contentReference) said.contentReference = element.contentReference.replace(/^.*#/, '#')
  if (element.binding) said.binding = `${element.binding.strength} ${element.binding.valueSet}`
  if (element.type)
    said.type = element.type
      .map(type => [type.code, sorted(type.profile), sorted(type.targetProfile?.filter(notAnything))])
      .sort()
  if (element.slicing) {
    const { discriminator = [], ordered = false, rules } = element.slicing
    said.slicing = [discriminator.map(one => `${one.type} ${one.path}`), ordered, rules]
  }
  if (element.constraint)
    said.constraint = sorted(element.constraint.map(one => `${one.key} ${one.severity} ${one.expression}`))
  return said
}

const sorted = (list: string[] = []): string[] => [...list].sort()

/** A reference to any resource is as good as one without targets. */
const notAnything = (target: string): boolean => target !== `${HL7}/Resource`

export const withoutSlices = (id: string): string => id.replace(/:[^.]*/g, '')

/**
 * Returns the element that a definition built on `canonical` has at `id` before it says anything itself; undefined where there is none.
 * Ours are differentials: their rules are laid over their base. A path that goes into a type is looked up in the type's definition.
 */
export function below(canonical: string, id: string): Element | undefined {
  const own = ours.get(canonical)
  if (own) {
    const under = below(own.baseDefinition!, id)
    const rule = own.differential!.element.find(one => one.id === id)
    return under || rule ? ({ ...under, ...rule } as Element) : undefined
  }
  const [root, ...names] = withoutSlices(id).split('.')
  let elements = r4(canonical)!.snapshot!.element
  let found = elements.find(one => one.id === root)
  for (const name of names) {
    let next = elements.find(one => one.id === `${found?.id}.${name}`)
    for (const type of next ? [] : (found?.type ?? [])) {
      const inside = r4(`${HL7}/${type.code}`)?.snapshot?.element
      next = inside?.find(one => one.id === `${type.code}.${name}`)
      if (!next) continue
      elements = inside!
      break
    }
    if (!next) return undefined
    found = next
  }
  return found
}

/**
 * Where elements of a definition stand: the names of a path, each with the slice that is meant there.
 * https://hl7.org/fhir/R4/elementdefinition.html#id
 */

/** One step of a path: `component:systolic`. A type slice by its shorthand is a step without slice, named `valueQuantity`. */
export interface Step {
  name: string
  /** Of a reslice the whole name, `abha/old`; empty for the element itself. */
  slice: string
}

interface Placed {
  id: string | undefined
  path: string
  sliceName?: string
}

/**
 * Returns the steps of an element. Its id is followed where that is its path with slice names put in; where it has none, or another, the
 * slices are those of the elements before it, `before` being the steps of the one just before.
 */
export function stepsOf({ id, path, sliceName }: Placed, before: readonly Step[]): Step[] {
  const names = path.split('.')
  const parts = id?.split('.')
  if (parts !== undefined && parts.length === names.length) {
    const steps = parts.map(stepOf)
    const own = steps.at(-1)!.slice
    if (steps.every((step, i) => step.name === names[i]) && (sliceName === undefined || own === sliceName))
      return steps
    // `value[x]:valueQuantity` may have the path `valueQuantity`.
    if (steps.every((step, i) => step.name === names[i] || isTypeSlice(step, names[i]!))) return steps
  }
  let same = true
  return names.map((name, i) => {
    const last = i === names.length - 1
    same &&= before[i]?.name === name
    return { name, slice: last ? (sliceName ?? '') : same ? before[i]!.slice : '' }
  })
}

/** Returns the id that steps make. */
export const idOf = (steps: readonly Step[]): string =>
  steps.map(({ name, slice }) => (slice === '' ? name : `${name}:${slice}`)).join('.')

function stepOf(part: string): Step {
  const colon = part.indexOf(':')
  return colon < 0 ? { name: part, slice: '' } : { name: part.slice(0, colon), slice: part.slice(colon + 1) }
}

const isTypeSlice = ({ name, slice }: Step, written: string): boolean =>
  name.endsWith('[x]') && slice === written && written.startsWith(name.slice(0, -3))

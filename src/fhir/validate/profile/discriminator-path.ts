/**
 * The restricted FHIRPath of discriminators, and the places that it leads to.
 * https://hl7.org/fhir/R4/profiling.html#discriminator
 */
import { isObject } from '../../json.ts'
import { isA } from './core.ts'
import { resolve } from './resolve.ts'
import { childrenOf, type Spot } from './spot.ts'
import { spend, type Walk } from './walk.ts'

export type Step =
  | { do: 'child'; name: string }
  | { do: 'extension'; url: string }
  | { do: 'resolve' }
  | { do: 'ofType'; type: string }

const STEP =
  /^(?:\$this|extension\(\s*(?:'([^']*)'|"([^"]*)")\s*\)|resolve\(\)|(?:ofType|as)\(\s*([A-Za-z.]+)\s*\)|([A-Za-z][A-Za-z0-9]*)(?:\[x\])?)(?:\.|$)/

/** Returns the steps of a path of the restricted FHIRPath; undefined where it is none. */
export function readPath(path: string): Step[] | undefined {
  const steps: Step[] = []
  let rest = path.trim()
  while (rest !== '') {
    const match = STEP.exec(rest)
    if (match === null || steps.length > 20) return undefined
    const [all, single, double, type, name] = match
    const url = single ?? double
    if (url !== undefined) steps.push({ do: 'extension', url })
    else if (type !== undefined) steps.push({ do: 'ofType', type: type.slice(type.lastIndexOf('.') + 1) })
    else if (name !== undefined) steps.push({ do: 'child', name })
    else if (all.startsWith('resolve')) steps.push({ do: 'resolve' })
    rest = rest.slice(all.length)
  }
  return steps
}

/** Returns the places that a path leads to. */
export function valuesAt(spot: Spot, steps: readonly Step[], walk: Walk): readonly Spot[] {
  let found: readonly Spot[] = [spot]
  for (const step of steps) {
    spend(walk, found.length)
    if (step.do === 'ofType') found = found.filter(one => isA(one.type, step.type))
    else if (step.do === 'resolve')
      found = found.flatMap(one => {
        const to = resolve(one, walk)
        return to.how === 'not here' ? [] : [to.spot]
      })
    else if (step.do === 'extension')
      found = found.flatMap(one =>
        childrenOf(one, 'extension').filter(({ value }) => isObject(value) && value.url === step.url),
      )
    else found = found.flatMap(one => named(one, step.name))
  }
  return found
}

function named(spot: Spot, name: string): readonly Spot[] {
  const plain = childrenOf(spot, name)
  return plain.length > 0 ? plain : childrenOf(spot, `${name}[x]`)
}

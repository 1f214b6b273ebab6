/**
 * A StructureDefinition compiled into closures, once: what it says of a type beyond what R4 itself says.
 * https://hl7.org/fhir/R4/profiling.html
 */
import type { Structure } from '../../definitions/structure.ts'
import { elementCheck } from './compile-element.ts'
import { treeOf } from './tree.ts'
import type { Compiled } from './walk.ts'

const compiled = new WeakMap<Structure, Compiled>()

/** Returns the checks of a snapshot; always the same for the same object. */
export function compileStructure(structure: Structure): Compiled {
  const known = compiled.get(structure)
  if (known !== undefined) return known
  const root = treeOf(structure)
  const { url, type } = structure
  const check = root === undefined ? undefined : elementCheck(root, type, [])
  const made: Compiled = { url, type, check: check ?? (() => {}) }
  compiled.set(structure, made)
  return made
}

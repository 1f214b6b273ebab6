/**
 * JSON Patch on a tree: add, remove, replace, move, copy and test.
 * https://www.rfc-editor.org/rfc/rfc6902
 */
import { fhirError } from '../fhir/error.ts'
import { copyJson, isObject, type Json, type JsonObject, NumberText } from '../fhir/json.ts'
import { equalJson } from './json-equal.ts'
import { pointerTokens, position, step } from './json-pointer.ts'
import { type PatchWork, patchWork, spend, spendMoves } from './patch-work.ts'

/** One operation, its pointers taken apart. */
type Operation =
  | { op: 'add' | 'replace' | 'test'; path: string[]; value: Json }
  | { op: 'remove'; path: string[] }
  | { op: 'move' | 'copy'; path: string[]; from: string[] }

/** Most values that the copies of one patch may add: repeated copying of the whole into itself doubles it each time. */
const MAX_COPIED = 1_000_000
/** Deepest nesting of the result, where the caller names none. */
const MAX_DEPTH = 64

/**
 * Returns the document after all operations. `document` may be changed on the way, also where it throws: pass a tree of your own.
 *
 * Throws `invalid` (400) where `patch` is no JSON Patch, `processing` (422) where an operation cannot be done or a test fails; the
 * expression names the operation: `patch[2]`. `depth` is the deepest nesting that the result may have.
 */
export function applyJsonPatch(document: Json, patch: Json, depth: number = MAX_DEPTH): Json {
  const operations = readOperations(patch)
  // Checked with each operation, so that no tree is ever deeper than the stack that walks it.
  const checkDepth = (path: readonly string[], value: Json, fail: Fail): void => {
    if (path.length + depthOf(value) > depth) throw fail(`the result is nested deeper than ${depth} levels`)
  }
  let root = document
  let copied = 0
  const work = patchWork()
  operations.forEach((operation, index) => {
    const fail = (why: string) =>
      fhirError('processing', `Operation ${index} (${operation.op}) cannot be done: ${why}.`, {
        expression: `patch[${index}]`,
        status: 422,
      })
    switch (operation.op) {
      case 'add':
        checkDepth(operation.path, operation.value, fail)
        root = add(root, operation.path, copyJson(operation.value), fail, work)
        break
      case 'remove':
        root = remove(root, operation.path, fail, work)
        break
      case 'replace':
        checkDepth(operation.path, operation.value, fail)
        root = replace(root, operation.path, copyJson(operation.value), fail)
        break
      case 'test': {
        const value = find(root, operation.path, fail)
        if (!equalJson(value, operation.value)) throw fail('the value there is another one')
        // 1 is equal to 1.000 with a million zeros.
        spend(work, count(value), fail)
        break
      }
      case 'copy': {
        const value = find(root, operation.from, fail)
        copied += count(value)
        if (copied > MAX_COPIED) throw fail('the patch copies too much')
        checkDepth(operation.path, value, fail)
        root = add(root, operation.path, copyJson(value), fail, work)
        break
      }
      case 'move': {
        const { from, path } = operation
        if (from.length < path.length && from.every((token, at) => token === path[at]))
          throw fail('a value cannot be moved into itself')
        const value = find(root, from, fail)
        // Moving a value to where it stands changes nothing; the root could not be removed first.
        if (from.length === path.length && from.every((token, at) => token === path[at])) break
        spend(work, count(value), fail)
        checkDepth(path, value, fail)
        root = add(remove(root, from, fail, work), path, value, fail, work)
        break
      }
    }
  })
  return root
}

type Fail = (why: string) => Error

const NEEDS: Record<Operation['op'], 'value' | 'from' | undefined> = {
  add: 'value',
  replace: 'value',
  test: 'value',
  remove: undefined,
  move: 'from',
  copy: 'from',
}

function readOperations(patch: Json): Operation[] {
  if (!Array.isArray(patch)) throw fhirError('invalid', 'A JSON Patch is an array of operations.')
  return patch.map((item, index) => {
    const expression = `patch[${index}]`
    const malformed = (why: string) => fhirError('invalid', `Operation ${index}: ${why}.`, { expression })
    if (!isObject(item)) throw malformed('it must be an object')
    const op = item.op
    if (typeof op !== 'string' || !Object.hasOwn(NEEDS, op))
      throw malformed('op must be add, remove, replace, move, copy or test')
    if (typeof item.path !== 'string') throw malformed('path must be a string')
    const path = pointerTokens(item.path, expression)
    const needs = NEEDS[op as Operation['op']]
    if (needs === undefined) return { op: 'remove', path }
    if (needs === 'value') {
      if (!Object.hasOwn(item, 'value')) throw malformed('value is missing')
      return { op: op as 'add', path, value: item.value! }
    }
    if (typeof item.from !== 'string') throw malformed('from must be a string')
    return { op: op as 'move', path, from: pointerTokens(item.from, expression) }
  })
}

function find(root: Json, path: readonly string[], fail: Fail): Json {
  let at: Json | undefined = root
  for (const token of path) {
    at = step(at, token)
    if (at === undefined) throw fail('there is nothing at this path')
  }
  return at as Json
}

function add(root: Json, path: readonly string[], value: Json, fail: Fail, work: PatchWork): Json {
  if (path.length === 0) return value
  const parent = find(root, path.slice(0, -1), fail)
  const token = path.at(-1)!
  if (Array.isArray(parent)) {
    const at = position(token, parent.length, parent.length)
    if (at === undefined) throw fail('the array has no such position')
    spendMoves(work, parent.length - at, fail)
    parent.splice(at, 0, value)
  } else if (isObject(parent)) set(parent, token, value)
  else throw fail('what should hold it is neither an object nor an array')
  return root
}

function remove(root: Json, path: readonly string[], fail: Fail, work: PatchWork): Json {
  if (path.length === 0) throw fail('the whole resource cannot be removed')
  const parent = find(root, path.slice(0, -1), fail)
  const token = path.at(-1)!
  if (step(parent, token) === undefined) throw fail('there is nothing at this path')
  if (Array.isArray(parent)) {
    spendMoves(work, parent.length - Number(token), fail)
    parent.splice(Number(token), 1)
  } else delete (parent as JsonObject)[token]
  return root
}

function replace(root: Json, path: readonly string[], value: Json, fail: Fail): Json {
  if (path.length === 0) return value
  const parent = find(root, path.slice(0, -1), fail)
  const token = path.at(-1)!
  if (step(parent, token) === undefined) throw fail('there is nothing at this path')
  if (Array.isArray(parent)) parent[Number(token)] = value
  else set(parent as JsonObject, token, value)
  return root
}

/** Assigning to `__proto__` would change the prototype and store nothing. */
function set(object: JsonObject, name: string, value: Json): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  else object[name] = value
}

function count(value: Json | undefined): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + count(item), 1)
  if (isObject(value)) return Object.values(value).reduce<number>((sum, member) => sum + count(member), 1)
  if (typeof value === 'string') return 1 + value.length / 16
  return value instanceof NumberText ? 1 + value.text.length / 16 : 1
}

function depthOf(value: Json | undefined): number {
  if (Array.isArray(value)) return value.reduce<number>((most, item) => Math.max(most, 1 + depthOf(item)), 1)
  if (!isObject(value)) return 0
  return Object.values(value).reduce<number>((most, member) => Math.max(most, 1 + depthOf(member)), 1)
}

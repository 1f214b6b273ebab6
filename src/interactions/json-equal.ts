/**
 * Equality of JSON values as JSON Patch's `test` asks: numbers are equal when they are numerically equal.
 * https://www.rfc-editor.org/rfc/rfc6902#section-4.6
 */
import { isObject, type Json, NumberText } from '../fhir/json.ts'

/** Returns whether two trees are equal: arrays in order, objects in any order, numbers by value without rounding (1.0 is 1e0). */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a instanceof NumberText) return b instanceof NumberText && numberKey(a.text) === numberKey(b.text)
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index]))
  if (isObject(a)) {
    if (!isObject(b)) return false
    const names = present(a)
    return (
      names.length === present(b).length &&
      names.every(name => Object.hasOwn(b, name) && equalJson(a[name], b[name]))
    )
  }
  return a === b
}

const present = (object: { [name: string]: Json | undefined }): string[] =>
  Object.keys(object).filter(name => object[name] !== undefined)

/** Returns a text that two JSON numbers share exactly when they have one value: sign, digits without outer zeros, exponent. */
function numberKey(text: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(
    text,
  )!
  const all = whole! + fraction
  let first = 0
  while (first < all.length && all[first] === '0') first++
  if (first === all.length) return '0'
  let last = all.length
  while (all[last - 1] === '0') last--
  // The exponent of the last digit that counts; a BigInt, as a hostile exponent has any number of digits.
  const power = BigInt(exponent.replace('+', '')) - BigInt(fraction.length) + BigInt(all.length - last)
  return `${sign}${all.slice(first, last)}e${power}`
}

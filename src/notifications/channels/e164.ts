/** Telephone numbers as networks want them. https://www.itu.int/rec/T-REC-E.164 */

/** Digits of a number in India without the country's, which begin with 6 to 9 where they are of mobile phones. */
const NATIONAL: Readonly<Record<string, RegExp>> = { '91': /^[1-9][0-9]{9}$/ }

/**
 * Returns the number as `+919876543210`, undefined where it is none. A number without a country code gets `callingCode`; spaces, dots,
 * hyphens, brackets and the trunk prefix 0 are left out.
 */
export function toE164(written: string, callingCode: string): string | undefined {
  const text = written.trim().replace(/^tel:/i, '')
  if (!/^\+?[0-9 ().\-/]{3,40}$/.test(text)) return undefined
  const digits = text.replace(/[^0-9]/g, '')
  if (text.startsWith('+')) return international(digits)
  if (digits.startsWith('00')) return international(digits.slice(2))
  const shape = NATIONAL[callingCode] ?? /^[1-9][0-9]{5,11}$/
  const national = digits.replace(/^0/, '')
  const rest = digits.slice(callingCode.length)
  const hasCode = digits.startsWith(callingCode) && shape.test(rest)
  // Where the length tells nothing, a number that begins as the country's code does has it.
  if (hasCode && !(callingCode in NATIONAL && shape.test(national))) return international(digits)
  return shape.test(national) ? international(callingCode + national) : undefined
}

const international = (digits: string): string | undefined =>
  /^[1-9][0-9]{7,14}$/.test(digits) ? `+${digits}` : undefined

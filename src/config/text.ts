/** The table of settings as a person reads it: `--help` and docs/configuration.md. */
import type { Setting } from './setting.ts'
import { optionOf, SETTINGS } from './table.ts'

/** Returns the text of `--help`. */
export function helpText(): string {
  const rows = (SETTINGS as readonly Setting[]).map(setting => {
    const head = `  ${optionOf(setting).padEnd(18)} ${setting.env}`
    const standard = setting.default === '' ? '' : ` Default: ${setting.default}`
    const values = setting.values === '' ? '' : `      ${setting.values}.${standard}\n`
    return `${head}\n${values}      ${setting.meaning}\n`
  })
  return `Nadi, a FHIR R4 server.

Usage: npm start -- [--option value]...

Every setting is an option and an environment variable; an option wins over its variable.

${rows.join('\n')}
  --help             This text.
`
}

/** Returns the table of settings as it stands in docs/configuration.md. */
export function settingsTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const rows = (SETTINGS as readonly Setting[]).map(
    s =>
      `| \`${s.env}\` | \`${optionOf(s)}\` | ${cell(s.values)} | ${s.default === '' ? '' : `\`${s.default}\``} | ${cell(s.meaning)} |`,
  )
  return ['| variable | option | values | default | meaning |', '|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  )
}

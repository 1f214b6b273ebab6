import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { optionOf, SETTINGS, storageName } from '../src/config/table.ts'
import { helpText, settingsTable } from '../src/config/text.ts'
import { readConfig, SettingsError, settingsOf } from '../src/config.ts'

const problems = (env: Record<string, string>, args: string[] = []): readonly string[] => {
  try {
    readConfig(env, args)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('settings', () => {
  it('have the defaults that the documentation names', () => {
    const config = readConfig({})
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      storage: { kind: 'sqlite', path: './data/nadi.db' },
      zone: 'Asia/Kolkata',
      sync: 'full',
      validate: 'structure',
      references: 'off',
      trustedProxies: [],
    })
    expect(settingsOf(config, 8080).baseUrl).toBe('http://127.0.0.1:8080/fhir')
    expect(settingsOf(readConfig({ NADI_HOST: '::1' }), 81).baseUrl).toBe('http://[::1]:81/fhir')
  })

  it('are read from the environment and from options, which win', () => {
    expect(readConfig({ NADI_PORT: '1', NADI_BODY_LIMIT: '2048' }, ['--port', '2']).port).toBe(2)
    expect(readConfig({ NADI_PORT: '1' }, ['--port=3']).port).toBe(3)
    expect(readConfig({ NADI_BODY_LIMIT: '2048' }).limits.body).toBe(2048)
    expect(readConfig({}, ['--base-url', 'https://x.example.org/r4/']).baseUrl).toBe(
      'https://x.example.org/r4',
    )
  })

  it('an empty variable counts as not set, and NADI_TEST_ belongs to the tests', () => {
    expect(readConfig({ NADI_PORT: '', NADI_TEST_MONGODB_URI: 'x', PATH: '/bin' }).port).toBe(8080)
  })

  it.each([
    ['NADI_PROT', { NADI_PROT: '1' }, [], 'NADI_PORT'],
    ['NADI_DATABASE', { NADI_DATABASE: 'x' }, [], '--help'],
    ['--prot', {}, ['--prot', '1'], '--port'],
    ['--port', {}, ['--port'], 'needs a value'],
    ['stray', {}, ['stray'], '--help'],
  ])('an unknown or incomplete setting is named: %s', (name, env, args, hint) => {
    const found = problems(env as Record<string, string>, args)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(name)
    expect(found[0]).toContain(hint)
  })

  it.each([
    ['NADI_PORT', '65536'],
    ['NADI_PORT', '-1'],
    ['NADI_PORT', '80a'],
    ['NADI_ZONE', 'Asia/Kochi'],
    ['NADI_LOG', 'verbose'],
    ['NADI_SYNC', 'off'],
    ['NADI_VALIDATE', 'profiles'],
    ['NADI_REFERENCES', 'on'],
    ['NADI_STORAGE', 'postgres://x'],
    ['NADI_STORAGE', './data/nadi.db'],
    ['NADI_STORAGE', 'sqlite:'],
    ['NADI_BASE_URL', 'ftp://x'],
    ['NADI_BASE_URL', 'http://u:p@x/fhir'],
    ['NADI_BASE_URL', 'http://x/fhir?a=1'],
    ['NADI_BASE_URL', 'http://x/:type'],
    ['NADI_TRUSTED_PROXIES', '10.0.0.1,proxy'],
    ['NADI_BODY_LIMIT', '1e6'],
    ['NADI_AUTH', 'jwt'],
  ])('a bad value is named: %s=%s', (name, value) => {
    const found = problems({ [name]: value })
    expect(found.length).toBeGreaterThan(0)
    expect(found[0]).toContain(name)
  })

  it('all problems are said at once', () => {
    expect(problems({ NADI_PORT: 'x', NADI_ZONE: 'y', NADI_FOO: 'z' }, ['--bar'])).toHaveLength(4)
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org', '1270.0.0.1'])(
    'without sign-in the address %s is refused',
    host => expect(problems({ NADI_HOST: host })[0]).toContain('loopback'),
  )

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('the loopback address %s is taken', host =>
    expect(readConfig({ NADI_HOST: host }).host).toBe(host),
  )

  it('storage URIs are read, and shown without user, password and options', () => {
    expect(readConfig({ NADI_STORAGE: 'sqlite::memory:' }).storage).toEqual({
      kind: 'sqlite',
      path: ':memory:',
    })
    const uri = 'mongodb+srv://u:p%40ss@cluster.example.org/nadi?retryWrites=true'
    expect(readConfig({ NADI_STORAGE: uri }).storage).toEqual({ kind: 'mongodb', uri })
    expect(storageName(uri)).toBe('mongodb+srv://cluster.example.org/nadi')
    expect(storageName('mongodb://u:p@a:1,b:2/x')).toBe('mongodb://a:1,b:2/x')
  })

  it.each([
    'postgres://u:s3cret@host/nadi',
    'mongo://u:s3cret@host/nadi?x=y',
    'MONGODB://u:s3cret@host/nadi',
    'mongodb:/u:s3cret@host',
    'mongodb://u:s3cret/of/two@host/nadi',
  ])('the password of %s, which is no storage, is not shown', text => {
    const [problem] = problems({ NADI_STORAGE: text })
    if (problem !== undefined) expect(problem).toContain('NADI_STORAGE is "')
    expect(problem ?? storageName(text)).not.toContain('s3cret')
  })

  it('--help names every setting with its option', () => {
    for (const setting of SETTINGS) {
      expect(helpText()).toContain(setting.env)
      expect(helpText()).toContain(`${optionOf(setting)} `)
    }
  })

  it('docs/configuration.md holds the table as the code has it', () => {
    expect(readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')).toContain(
      settingsTable(),
    )
  })
})

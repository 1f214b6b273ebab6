/** What is said of a URI before any server is asked. */
import { expect, it } from 'vitest'
import { connect } from '../../src/storage/mongodb/connect.ts'

it.each(['mongodb://user:s3cret%pw@127.0.0.1:9/nadi', 'mongodb://127.0.0.1:9/na%zzdi'])(
  'a percent sign that begins no escape is named, without the password: %s',
  async uri => {
    const error: unknown = await connect(uri).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringContaining('%25') })
    expect(String(error)).not.toContain('s3cret')
  },
)

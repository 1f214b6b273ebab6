import { describe, expect, it } from 'vitest'
import { narrativeFaults } from '../../../src/fhir/validate/narrative.ts'

const div = (inside: string): string => `<div xmlns="http://www.w3.org/1999/xhtml">${inside}</div>`
const errors = (source: string): string[] =>
  narrativeFaults(source)
    .filter(({ severity }) => severity === 'error')
    .map(({ diagnostics }) => diagnostics)

describe('narratives that are sound', () => {
  it.each([
    ['text', div('hello')],
    [
      'the elements of HTML 4',
      div(
        '<h1>a</h1><p>b<br/><b>c</b> <i>d</i><tt>e</tt></p><ul><li>f</li></ul><dl><dt>g</dt><dd>h</dd></dl><hr/>',
      ),
    ],
    [
      'a table',
      div(
        '<table border="1"><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td colspan="2" style="color: red">b</td></tr></tbody></table>',
      ),
    ],
    [
      'links',
      div(
        '<a name="n"/><a href="#n">a</a><a href="http://x.in/a?b=1&amp;c=2">b</a><a href="mailto:a@b.in">c</a><a href="tel:+91">d</a><a href="Patient/1">e</a>',
      ),
    ],
    ['an image that is contained', div('<img src="#pic" alt="a"/>')],
    ['an image in the text', div('<img src="data:image/png;base64,iVBORw0KGgo=" alt="a"/>')],
    ['a picture in a style', div(`<p style="background: url('data:image/png;base64,iVBORw0KGgo=')">a</p>`)],
    ['a comment', div('<!-- a comment -->x')],
    ['character references', div('&lt;&gt;&amp;&quot;&apos;&#160;&#x905;')],
    ['Indian scripts', div('<p lang="hi">नमस्ते</p>')],
    ['white space around', `  ${div('x')}\n`],
    ['single quotes', "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"],
  ])('%s', (_, source) => {
    expect(narrativeFaults(source)).toEqual([])
  })
})

describe('narratives that are not', () => {
  it.each([
    [
      'an element that is not closed',
      div('<p>a'),
      'Close tags in the order in which they were opened: </p> is expected and not </div>',
    ],
    [
      'an end inside',
      '<div xmlns="http://www.w3.org/1999/xhtml"><p>',
      'Close <p>: the narrative ends inside it',
    ],
    ['elements that overlap', div('<b><i>a</b></i>'), 'Close tags in the order'],
    ['two elements', `${div('a')}<div/>`, 'there is more after its end'],
    ['text before', `a${div('a')}`, 'Begin the narrative with <div'],
    ['nothing', '', 'Begin the narrative with <div'],
    [
      'another root',
      '<p xmlns="http://www.w3.org/1999/xhtml">a</p>',
      'The narrative is one <div> and not <p>',
    ],
    ['no namespace', '<div>a</div>', 'needs xmlns='],
    ['another namespace', '<div xmlns="http://www.w3.org/2000/svg">a</div>', 'needs xmlns='],
    [
      'a namespace inside',
      div('<p xmlns="http://www.w3.org/2000/svg">a</p>'),
      'has to be http://www.w3.org/1999/xhtml',
    ],
    ['CDATA', div('<![CDATA[<script>]]>'), 'Remove the CDATA'],
    ['a processing instruction', div('<?php x ?>a'), 'Remove the CDATA'],
    ['a document type', `<!DOCTYPE div [<!ENTITY a "b">]>${div('a')}`, 'Remove the CDATA'],
    ['a comment that HTML ends earlier', div('<!--><img src="x" onerror="a"/>-->a'), 'Remove the comment'],
    ['a comment with --', div('<!-- a -- b -->a'), 'Remove the comment'],
    ['a comment that does not end', div('<!-- a'), 'Remove the comment'],
    ['an entity of HTML', div('a&nbsp;b'), 'as &#160; for &nbsp;'],
    ['a bare ampersand', div('a & b'), 'Write &amp;'],
    ['a bare ampersand in an attribute', div('<a href="?a=1&b=2">x</a>'), 'Write &amp;'],
    ['a character that XML has not', div('a&#0;'), 'Remove &#0;'],
    ['half a pair', div('&#xD800;a'), 'Remove &#xD800;'],
    ['a bare <', div('1 < 2'), 'Write &lt;'],
    [']]>', div('a]]>b'), 'Write ]]&gt;'],
    ['an attribute without quotes', div('<p class=a>x</p>'), 'a value in quotes'],
    ['an attribute without value', div('<td nowrap>x</td>'), 'a value in quotes'],
    ['an attribute twice', div('<p class="a" class="b">x</p>'), 'once'],
    ['attributes without space', div('<p class="a"id="b">x</p>'), 'End the tag <p>'],
    ['< in an attribute', div('<p title="<b">x</p>'), 'Write &lt; for <'],
    ['capital letters', div('<P>x</P>'), 'in small letters: <p>'],
    ['script', div('<script>alert(1)</script>x'), 'Remove <script>'],
    ['style', div('<style>p{}</style>x'), 'Remove <style>'],
    ['a form', div('<form action="x"><input/></form>x'), 'Remove <form>'],
    ['a frame', div('<iframe src="x"/>x'), 'Remove <iframe>'],
    ['an object', div('<object data="x"/>x'), 'Remove <object>'],
    ['svg', div('<svg><g onload="x"/></svg>x'), 'Remove <svg>'],
    ['a prefixed element', div('<html:script>a</html:script>'), 'Remove <html:script>'],
    ['inserted text', div('<ins>a</ins>'), 'Remove <ins>'],
    ['an event', div('<p onclick="x()">a</p>'), 'run no script'],
    ['an event in capitals', div('<p onClick="x()">a</p>'), 'run no script'],
    ['an attribute of another element', div('<p href="x">a</p>'), 'is not allowed in narratives'],
    ['a script by link', div('<a href="javascript:alert(1)">x</a>'), 'links by javascript:'],
    [
      'a script by link, hidden',
      div('<a href=" jav&#x09;ascript&#58;alert(1)">x</a>'),
      'links by javascript:',
    ],
    ['a script by link in capitals', div('<a href="JaVaScRiPt:alert(1)">x</a>'), 'links by javascript:'],
    ['a script after a control character', div('<a href="&#9;&#10;vbscript:x">x</a>'), 'links by vbscript:'],
    ['a page in a link', div('<a href="data:text/html,x">x</a>'), 'links by data:'],
    ['a file', div('<a href="file:///etc/passwd">x</a>'), 'links by file:'],
    ['an image from elsewhere', div('<img src="http://x.in/a.png"/>'), 'loads from elsewhere'],
    ['an image from elsewhere without scheme', div('<img src="//x.in/a.png"/>'), 'loads from elsewhere'],
    ['an image with backslashes', div('<img src="\\\\x.in\\a.png"/>'), 'loads from elsewhere'],
    [
      'an image that is a page',
      div('<img src="data:text/html;base64,AAAA"/>'),
      'is a data: URL of what is no picture',
    ],
    [
      'an image that is an svg',
      div('<img src="data:image/svg+xml;base64,AAAA"/>'),
      'is a data: URL of what is no picture',
    ],
    ['an image that is a script', div('<img src="javascript:x"/>'), 'loads from elsewhere'],
    [
      'a style that loads',
      div('<p style="background: url(http://x.in/a)">x</p>'),
      'has a url() that loads from elsewhere',
    ],
    [
      'a style that loads, in quotes',
      div(`<p style="background: URL( '//x.in/a' )">x</p>`),
      'has a url() that loads from elsewhere',
    ],
    [
      'a style that loads a set',
      div('<p style="background: image-set(&quot;//x.in/a&quot; 1x)">x</p>'),
      'runs or loads something',
    ],
    ['a style that runs', div('<p style="width: expression(alert(1))">x</p>'), 'runs or loads something'],
    ['a style that imports', div('<p style="@import &quot;a&quot;">x</p>'), 'runs or loads something'],
    [
      'a style with an escape',
      div('<p style="background: u\\72l(//x.in)">x</p>'),
      'a backslash or a comment',
    ],
    [
      'a style with a comment',
      div('<p style="background: ur/**/l(//x.in)">x</p>'),
      'a backslash or a comment',
    ],
    ['only white space', div(' \n\t<p> </p>'), 'The narrative says nothing'],
    ['only empty elements', div('<p/><br/>'), 'The narrative says nothing'],
  ])('%s', (_, source, why) => {
    expect(errors(source).join(' ')).toContain(why)
  })

  it('an image that is named but not there is a warning', () => {
    expect(narrativeFaults(div('<img src="icon.png" alt="x"/>')).map(({ severity }) => severity)).toEqual([
      'warning',
    ])
  })

  it('says which rule is broken', () => {
    expect(narrativeFaults(div('')).map(({ rule }) => rule)).toEqual(['txt-2'])
    expect(narrativeFaults(div('<script/>x')).map(({ rule }) => rule)).toEqual(['txt-1'])
  })

  it('reports at most ten faults, and nesting deeper than 100', () => {
    expect(narrativeFaults(div('<u>x</u>'.repeat(1000)))).toHaveLength(10)
    expect(errors(div(`${'<b>'.repeat(200)}x${'</b>'.repeat(200)}`)).join()).toContain('Nest tags less deep')
  })

  it.each([
    ['tags', div('<b>x</b>'.repeat(125_000))],
    ['open tags', '<b>'.repeat(330_000)],
    ['attributes', div(`<p ${'a '.repeat(500_000)}`)],
    ['ampersands', div('&'.repeat(1_000_000))],
    ['references', div('&#65;'.repeat(200_000))],
    ['open comments', div('<!-'.repeat(330_000))],
    ['comments', div('<!--a-->'.repeat(125_000))],
    ['white space', div(' '.repeat(1_000_000))],
    ['a style', div(`<p style="${'url( '.repeat(200_000)}">x</p>`)],
    ['a style of words', div(`<p style="${'expression  '.repeat(90_000)}">x</p>`)],
    ['a link of spaces', div(`<a href="${'&#32;'.repeat(200_000)}">x</a>`)],
    ['an image', div(`<img src="data:image/png;base64,${'A'.repeat(1_000_000)}"/>`)],
    ['quotes', div(`<p title='${'"'.repeat(1_000_000)}'>x</p>`)],
  ])('a megabyte of %s takes less than a second', (_, source) => {
    const start = performance.now()
    narrativeFaults(source)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

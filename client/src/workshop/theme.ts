/** The editor's look, in the page's own colors, which know light from dark. */

import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'ui-monospace, "DejaVu Sans Mono", monospace', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--ws-selection)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--ws-active)' },
  '.cm-gutters': { background: 'none', color: 'var(--dim)', border: 'none' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { background: 'var(--ws-selection)', outline: '1px solid var(--line)' },
  '.cm-tooltip, .cm-panels': { background: 'var(--ws-raised)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '8px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--ws-selection)', color: 'var(--ink)' },
  '.cm-diagnostic': { padding: '6px 10px', whiteSpace: 'pre-wrap', maxWidth: '60ch' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--ws-warn)' },
  '.cm-insertedLine, .cm-changedLine, &.cm-merge-b .cm-changedLine': { background: 'var(--ws-added) !important' },
  '.cm-deletedChunk': { background: 'var(--ws-removed)', paddingLeft: '6px' },
  '.cm-changedText, &.cm-merge-b .cm-changedText': { background: 'var(--ws-added)', textDecoration: 'none' },
  '.cm-deletedChunk .cm-deletedText': { background: 'var(--ws-removed)', textDecoration: 'none' },
  '.cm-collapsedLines': { background: 'var(--ws-active)', color: 'var(--dim)', padding: '3px 8px' },
  // The mark that comes with it is in few fonts.
  '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"…" !important' },
});

const colors = HighlightStyle.define([
  { tag: [tags.comment, tags.docComment], color: 'var(--ws-comment)' },
  { tag: [tags.keyword, tags.modifier, tags.self, tags.controlKeyword, tags.definitionKeyword], color: 'var(--ws-keyword)' },
  { tag: [tags.string, tags.character], color: 'var(--ws-string)' },
  { tag: [tags.number, tags.bool], color: 'var(--ws-number)' },
  { tag: [tags.typeName, tags.className, tags.namespace], color: 'var(--ws-type)' },
  { tag: [tags.macroName, tags.meta], color: 'var(--ws-macro)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: 'var(--ws-function)' },
]);

export const theme: Extension = [look, syntaxHighlighting(colors)];

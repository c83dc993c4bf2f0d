package strict

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A form is what a value looks like in the file.
type form string

const (
	formText    form = "a text"
	formNumber  form = "a number"
	formBool    form = "true or false"
	formNothing form = "nothing"
	formMapping form = "a mapping"
	formList    form = "a list"
)

// A value is one value of the file with its place. It is the YAML library's
// tree without what these files have no use for: anchors, tags, comments, styles.
type value struct {
	form    form
	text    string // of a scalar, without quotes
	at      place
	entries []entry  // of a mapping, in the order of the file, keys distinct
	items   []*value // of a list
}

type entry struct {
	key   string
	at    place
	value *value
}

// A place is where something is written.
type place struct {
	file      string
	line, col int // 0 in an override
}

func (v *value) get(key string) *value {
	for i := range v.entries {
		if v.entries[i].key == key {
			return v.entries[i].value
		}
	}
	return nil
}

// A reader turns YAML into values and collects what is wrong on the way.
type reader struct {
	file   string
	lines  []string
	errs   Errors
	flat   bool // places have no line: the text is an override
	format Format
}

// read parses YAML. It returns nil when the text is no YAML at all.
func (r *reader) read(src string) *value {
	r.lines = strings.Split(src, "\n")
	if len(src) > MaxBytes {
		r.errs = append(r.errs, Error{File: r.file, Msg: fmt.Sprintf("%d bytes; a %s has at most %d", len(src), r.format, MaxBytes)})
		return nil
	}
	if !utf8.ValidString(src) {
		r.errs = append(r.errs, Error{File: r.file, Msg: "not UTF-8 text"})
		return nil
	}
	file := r.parse(src)
	if file == nil || len(r.errs) > 0 {
		return nil
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			docs = append(docs, d.Body)
		}
	}
	switch {
	case len(docs) == 0:
		r.errs = append(r.errs, Error{File: r.file, Msg: r.empty()})
		return nil
	case len(docs) > 1:
		at := r.value(docs[1]).at
		r.errs = append(r.errs, Error{File: at.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf("a second document; a file holds one %s", r.format)})
		return nil
	}
	return r.value(docs[0])
}

func (r *reader) empty() string {
	if r.format.Begin == "" {
		return "empty"
	}
	return fmt.Sprintf("empty; a %s%s", r.format, r.format.start("starts with"))
}

// parse runs the YAML library. Its parser recurses, so nesting is bounded on
// the tokens before; it has also been seen to panic on odd input, and a file
// must never end the program that reads it.
func (r *reader) parse(src string) (file *ast.File) {
	defer func() {
		if p := recover(); p != nil {
			r.errs = append(r.errs, Error{File: r.file, Msg: fmt.Sprintf("not readable as YAML (%v)", p)})
			file = nil
		}
	}()
	tokens := lexer.Tokenize(src)
	r.screen(tokens)
	if len(r.errs) > 0 {
		return nil
	}
	// Duplicate keys are found later, all at once.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	var bad yaml.Error
	if errors.As(err, &bad) {
		r.fail(bad.GetToken(), "%s", bad.GetMessage())
		return nil
	}
	if err != nil {
		r.errs = append(r.errs, Error{File: r.file, Msg: err.Error()})
		return nil
	}
	return file
}

// screen refuses what these files have no use for and what would nest too deep.
func (r *reader) screen(tokens token.Tokens) {
	const maxDepth = 16
	depth, line, inLine := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			r.fail(t, "anchors and aliases are not used in %s files; write it out", r.format)
		case token.TagType, token.DirectiveType:
			r.fail(t, "tags and directives are not used in %s files", r.format)
		case token.MappingKeyType:
			r.fail(t, "\"?\" keys are not used in %s files", r.format)
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType:
			if t.Position.Line != line {
				line, inLine = t.Position.Line, 0
			}
			inLine++
		}
		if depth > maxDepth || inLine > maxDepth {
			r.fail(t, "nested more than %d deep", maxDepth)
			return
		}
		if len(r.errs) >= maxListed {
			return
		}
	}
}

func (r *reader) fail(t *token.Token, format string, args ...any) {
	at := r.place(t)
	r.errs = append(r.errs, Error{File: at.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf(format, args...)})
}

// place is the token's place, inside the file whatever the library thinks.
func (r *reader) place(t *token.Token) place {
	if r.flat {
		return place{file: r.file}
	}
	if t == nil || t.Position == nil {
		return place{r.file, 1, 1}
	}
	line := min(max(t.Position.Line, 1), len(r.lines))
	width := utf8.RuneCountInString(r.lines[line-1])
	return place{r.file, line, min(max(t.Position.Column, 1), width+1)}
}

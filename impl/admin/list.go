package admin

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"

	"github.com/unilb/unilb/impl/store"
)

// list answers all objects of a kind. It holds a step of them at a time: the
// answer is written while they are read.
func (h *Handler) list(req *request) (*answer, *failure) {
	args := arguments(req.Request)
	asked, aerr := h.filters(req.res, args)
	if aerr != nil {
		return nil, unlisted(aerr)
	}
	l := &listing{h: h, at: req.address, asked: asked}
	page, size, paged, err := pageOf(args)
	if err != nil {
		return nil, err
	}
	if paged {
		return l.page(req.Context(), page, size)
	}
	w := walk{h: h, dir: h.listDir(req.address), limit: firstKeys}
	if len(asked.searches) > 0 {
		if w.rev, aerr = l.search(req.Context()); aerr != nil {
			return nil, unlisted(aerr)
		}
	}
	first, lerr := w.next(req.Context())
	if lerr != nil {
		return nil, unavailable(lerr)
	}
	if req.res == credentials && w.done && len(first) == 0 {
		return nil, keyNotFound() // there is no directory
	}
	return &answer{code: http.StatusOK, stream: func(out io.Writer) error { return l.write(req.Context(), out, w, first) }}, nil
}

// pageOf returns which page is asked for, if page and page_size are both numbers. They
// need not be whole ones.
func pageOf(q url.Values) (page, size float64, paged bool, err *failure) {
	const smallest, largest = 10, 500
	page, isPage := number(q.Get("page"))
	size, isSize := number(q.Get("page_size"))
	if !isPage || !isSize {
		return 0, 0, false, nil
	}
	if size < smallest || size > largest {
		return 0, 0, false, &failure{code: http.StatusBadRequest, body: "page_size must be between 10 and 500"}
	}
	return max(page, 1), size, true, nil
}

// listing is one list.
type listing struct {
	h     *Handler
	at    address
	asked *filter
	found map[string]bool // all keys that the list shows; nil: they were not looked for yet
}

// unlisted is the answer when a list is not to be had.
func unlisted(err error) *failure {
	var wrong *argumentError
	if errors.As(err, &wrong) {
		return bad(wrong.Error())
	}
	return unavailable(err)
}

// search looks for what the list shows as of the revision that it returns: a search may
// be given up, and once a list is being written it is too late to say so.
func (l *listing) search(ctx context.Context) (rev int64, err error) {
	found := map[string]bool{}
	rev, err = l.h.each(ctx, l.h.listDir(l.at), 0, func(kv store.KV) error {
		ok, err := l.shows(ctx, kv)
		if ok {
			found[kv.Key] = true
		}
		return err
	})
	l.found = found
	return rev, err
}

// shows tells whether the list holds an object.
func (l *listing) shows(ctx context.Context, kv store.KV) (bool, error) {
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case l.found != nil:
		return l.found[kv.Key], nil
	case !l.h.listed(l.at, kv.Key):
		return false, nil
	case l.asked.all():
		return bytes.HasPrefix(bytes.TrimLeft(kv.Value, " \t\r\n"), []byte("{")) && json.Valid(kv.Value), nil
	}
	tree, ok := isObject(kv.Value)
	if !ok {
		return false, nil
	}
	return l.asked.keeps(tree)
}

// write writes the list: what was read already, and then step by step the rest.
func (l *listing) write(ctx context.Context, to io.Writer, w walk, kvs []store.KV) error {
	out := bufio.NewWriterSize(to, 32<<10)
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_, _ = out.WriteString(`{"list":[`) // the last Flush tells
	total := 0
	for {
		for _, kv := range kvs {
			if ok, err := l.shows(ctx, kv); err != nil {
				return fmt.Errorf("list %s: %w", l.at.res.dir, err)
			} else if !ok {
				continue
			}
			if total > 0 {
				_ = out.WriteByte(',')
			}
			total++
			text.Reset()
			if err := e.Encode(l.h.itemOf(l.at.res, kv)); err != nil {
				return fmt.Errorf("list %s: %w", l.at.res.dir, err)
			}
			_, _ = out.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
		}
		if w.done {
			break
		}
		var err error
		if kvs, err = w.next(ctx); err != nil {
			return fmt.Errorf("list %s: %w", l.at.res.dir, err)
		}
	}
	_, _ = fmt.Fprintf(out, "],\"total\":%d}\n", total)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("list %s: %w", l.at.res.dir, err)
	}
	return nil
}

// page answers one page in the order of creation. It goes through the list twice:
// to see which objects are on the page, and for them.
func (l *listing) page(ctx context.Context, page, size float64) (*answer, *failure) {
	type made struct {
		key     string
		created int64
	}
	var all []made
	empty := true
	rev, err := l.h.each(ctx, l.h.listDir(l.at), 0, func(kv store.KV) error {
		empty = false
		ok, err := l.shows(ctx, kv)
		if ok {
			all = append(all, made{kv.Key, kv.Create})
		}
		return err
	})
	if err != nil {
		return nil, unlisted(err)
	}
	if empty && l.at.res == credentials {
		return nil, keyNotFound() // there is no directory
	}
	slices.SortStableFunc(all, func(a, b made) int { return cmp.Compare(a.created, b.created) })
	total := len(all)
	from := total // past the end, and between two objects, there is nothing
	if before := (page - 1) * size; before < float64(total) && before == math.Trunc(before) {
		from = int(before)
	}
	items := make([]item, min(int(size), total-from))
	on := make(map[string]int, len(items))
	for i := range items {
		on[all[from+i].key] = i
	}
	if len(on) > 0 {
		if _, err := l.h.each(ctx, l.h.listDir(l.at), rev, func(kv store.KV) error {
			if i, ok := on[kv.Key]; ok {
				items[i] = l.h.itemOf(l.at.res, kv)
			}
			return nil
		}); err != nil {
			return nil, unavailable(err)
		}
	}
	return &answer{code: http.StatusOK, body: struct {
		List  []item `json:"list"`
		Total int    `json:"total"`
	}{items, total}}, nil
}

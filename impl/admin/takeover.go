package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

// unknownSection returns the first member of a whole configuration that names no section,
// and what is wrong with it; "": there is none.
// APISIX ignores such a member, and so empties the section that was meant. Versions
// are let pass: they name no objects.
func unknownSection(config map[string]any) (name, wrong string) {
	for _, name = range slices.Sorted(maps.Keys(config)) {
		if !slices.Contains(sections, name) && !strings.HasSuffix(name, "_conf_version") {
			return name, fmt.Sprintf("unknown section [%s]: known are %s", name, strings.Join(sections, ", "))
		}
	}
	return "", ""
}

// unclaimed refuses the first whole configuration over objects that were written one by
// one, as they are at a revision: it would delete what it does not hold, and whoever
// sends it was shown an empty configuration. What is written later is in no
// transaction of the replacement, and stays.
func (h *Handler) unclaimed(ctx context.Context, rev int64) *failure {
	found := errors.New("found")
	for _, section := range sections {
		key := ""
		_, err := h.each(ctx, h.dir(section), rev, func(kv store.KV) error {
			if strings.HasSuffix(kv.Key, "/") {
				return nil
			}
			key = kv.Key
			return found
		})
		switch {
		case key != "":
			return fail(http.StatusConflict, fmt.Sprintf("%s was written by no whole configuration, which would delete or replace all objects below %s: delete them first, or send it with ?force=true", key, h.prefix))
		case err != nil:
			return unavailable(err)
		}
	}
	return nil
}

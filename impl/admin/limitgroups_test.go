package admin_test

import (
	"fmt"
	"sync"
	"testing"
)

func TestAllOfAGroupOfLimitsSayTheSame(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	limit := func(conf string) string {
		return `{"uri":"/","plugins":{"limit-count":{"group":"g",` + conf + `}}}`
	}
	const same, other, mismatch = `"count":2,"time_window":60`, `"count":3,"time_window":60`, "failed to check the configuration of plugin limit-count err: group conf mismatched"
	a.must(201, "PUT /routes/1", limit(same))
	a.rows(
		row{"another count", "PUT /routes/2", limit(other), 400, mismatch},
		row{"POST", "POST /routes", limit(other), 400, mismatch},
		row{"a service", "PUT /services/1", `{"plugins":{"limit-count":{"group":"g",` + other + `}}}`, 400, mismatch},
		row{"a rule", "PUT /global_rules/1", `{"plugins":{"limit-count":{"group":"g",` + other + `}}}`, 400, mismatch},
		row{"switched off", "PUT /routes/3", limit(other + `,"_meta":{"disable":true}`), 201, "*"},
		row{"defaults", "PUT /routes/4", limit(same + `,"rejected_code":503,"key":"remote_addr","_meta":{"priority":5}`), 201, "*"},
		row{"alone now", "DELETE /routes/4", "", 200, "*"},
		row{"numbers", "PUT /routes/5", limit(`"count":2.0,"time_window":6e1`), 201, "*"},
		row{"its own edit", "PUT /routes/1", limit(other), 400, mismatch},
		row{"a part", "PATCH /routes/1", `{"plugins":{"limit-count":{"count":9}}}`, 400, mismatch},
		row{"away", "DELETE /routes/5", "", 200, "*"},
		row{"an edit when alone", "PUT /routes/1", limit(other), 200, "*"},
		row{"what it was", "PUT /routes/2", limit(same), 400, mismatch},
		row{"another group", "PUT /routes/2", `{"uri":"/","plugins":{"limit-count":{"group":"h",` + same + `}}}`, 201, "*"},
		row{"whole", "POST /configs/validate", `{"routes":[{"id":"a","uri":"/","plugins":{"limit-count":{"group":"w",` + same + `}}},{"id":"b","uri":"/","plugins":{"limit-count":{"group":"w",` + other + `}}}]}`, 400,
			`{"error_msg":"Configuration validation failed","errors":[{"resource_type":"routes","resource_id":"b","index":1,"error":"` + mismatch + `"}]}`},
	)
	var wg sync.WaitGroup
	done := make([]int, 8)
	for i := range done {
		wg.Go(func() {
			done[i] = a.call(fmt.Sprintf("PUT /routes/race%d", i), fmt.Sprintf(`{"uri":"/","plugins":{"limit-count":{"group":"race","count":%d,"time_window":1}}}`, i+1)).code
		})
	}
	wg.Wait()
	won := 0
	for _, code := range done {
		if code == 201 {
			won++
		}
	}
	if won != 1 {
		t.Errorf("of %d that say different things at once %d were taken, want 1: %v", len(done), won, done)
	}
}

func TestPluginsOfTheirKindAreTakenWithoutAnEntry(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.rows(
		row{"an object", "PUT /routes/1", `{"uri":"/","plugins":{"ai-of-tomorrow":{"x":[1]}}}`, 201, "*"},
		row{"no object", "PUT /routes/1", `{"uri":"/","plugins":{"ai-of-tomorrow":1}}`, 400, "invalid plugin conf 1 for plugin [ai-of-tomorrow]"},
		row{"_meta", "PUT /routes/1", `{"uri":"/","plugins":{"ai-of-tomorrow":{"_meta":1}}}`, 400, "*"},
		row{"metadata", "PUT /plugin_metadata/ai-of-tomorrow", `{"x":1}`, 201, "*"},
		row{"another name", "PUT /routes/1", `{"uri":"/","plugins":{"aix":{}}}`, 400, "unknown plugin [aix]"},
		row{"no name", "PUT /routes/1", `{"uri":"/","plugins":{"ai-":{}}}`, 400, "unknown plugin [ai-]"},
		row{"not listed", "GET /plugins/ai-of-tomorrow", "", 404, "plugin not found in subsystem http"},
	)
}

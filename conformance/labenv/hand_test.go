package labenv

import (
	"testing"
	"time"
)

func TestOrderMayTakeWhatItsCaseMay(t *testing.T) {
	short := order{Case: &caseOrder{ID: "ROUTE-EXACT"}}.limit()
	var longest time.Duration
	for _, id := range []string{"ROUTE-EXACT", "RETRY-CONNECT-REFUSED"} {
		longest = max(longest, order{Case: &caseOrder{ID: id}}.limit())
	}
	if short <= 3*time.Minute || short >= 10*time.Minute || longest < short {
		t.Errorf("ROUTE-EXACT may take %s, the longest %s", short, longest)
	}
}

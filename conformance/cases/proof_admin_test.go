package cases

var adminBugs = map[string][]string{
	"ADMIN-ENVELOPE": {"always 200", "knows no services", "forgets create_time of upstreams", "indexes on writes", "stores defaults", "deleted is a number", "deletes nothing", "missing is empty", "total is wrong"},
	"ADMIN-BAD-KEY":  {"needs no key", "reads without a key", "looks at the key after the write"},
	"ADMIN-BAD-BODY": {"body renames", "drops unknown fields", "replaces before it looks"},
	"ADMIN-IF-MATCH": {"ignores If-Match"},
}

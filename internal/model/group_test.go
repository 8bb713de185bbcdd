package model

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The coordinator is a fake; half the faults ever found with a model like this
// one were in its coordinator, so it is tested alone.

func testGroup() *group { return newGroup(2, rand.New(rand.NewPCG(1, 2))) }

func mustOwn(t *testing.T, g *group, now tick, m *member) []owned {
	t.Helper()
	list, ok := g.heartbeat(now, m)
	if !ok {
		t.Fatalf("member %d is not in the group", m.id)
	}
	return list
}

func owns(list []owned, partition int) bool {
	for _, o := range list {
		if o.partition == partition {
			return true
		}
	}
	return false
}

// settleGroup plays members that give back at once what is asked for.
func settleGroup(t *testing.T, g *group, now tick, members ...*member) {
	t.Helper()
	for range 3 {
		for _, m := range members {
			for _, o := range mustOwn(t, g, now, m) {
				if o.asked {
					g.release(m, o.partition, o.tenure)
				}
			}
		}
	}
}

func TestGroupSharesAndAsksBackOneByOne(t *testing.T) {
	g := testGroup()
	a := g.join(0, -1)
	if got := mustOwn(t, g, 0, a); len(got) != 2 || got[0].asked || got[1].asked {
		t.Fatalf("a lone member owns %v, want both partitions", got)
	}
	b := g.join(1, -1)
	if got := mustOwn(t, g, 1, b); len(got) != 0 {
		t.Fatalf("b owns %v before a released anything", got)
	}
	var asked []int
	for _, o := range mustOwn(t, g, 1, a) {
		if o.asked {
			asked = append(asked, o.partition)
		}
	}
	if len(asked) != 1 {
		t.Fatalf("a is asked for %v, want one partition: what it keeps is not touched", asked)
	}
	settleGroup(t, g, 1, a, b)
	if got := mustOwn(t, g, 1, b); len(got) != 1 || got[0].partition != asked[0] {
		t.Fatalf("b owns %v, want partition %v", got, asked)
	}
}

func TestGroupEndsSessions(t *testing.T) {
	g := testGroup()
	a, b := g.join(0, -1), g.join(0, -1)
	settleGroup(t, g, 0, a, b)
	mustOwn(t, g, session, b)
	g.expire(session)
	if _, ok := g.heartbeat(session, a); !ok {
		t.Fatal("a was expelled within its session")
	}
	g.expire(2*session + 1)
	if _, ok := g.heartbeat(2*session+1, b); ok {
		t.Fatal("b outlived its session")
	}
	g.join(2*session+1, -1)
	g.expire(2*session + 2)
	if len(g.members) != 1 {
		t.Fatalf("%d members, want the new one only", len(g.members))
	}
}

func TestGroupCommits(t *testing.T) {
	g := testGroup()
	a, b := g.join(0, -1), g.join(0, -1)
	settleGroup(t, g, 0, a, b)
	theirs := mustOwn(t, g, 0, b)[0]
	mine := mustOwn(t, g, 0, a)[0]
	old := a.generation - 1

	tests := []struct {
		name       string
		m          *member
		generation int
		of         owned
		want       bool
	}{
		{"owner, current generation", a, a.generation, mine, true},
		{"owner, old generation", a, old, mine, true},
		{"not the owner, current generation", a, a.generation, theirs, true},
		{"not the owner, old generation", a, old, theirs, false},
		{"no member", &member{id: 99}, 0, mine, false},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := g.partitions[tt.of.partition]
			offset := int64(100 + i)
			got := g.commit(tt.m, tt.generation, tt.of.partition, tt.of.tenure, offset, "x")
			if got != tt.want {
				t.Errorf("commit = %v, want %v", got, tt.want)
			}
			after := g.partitions[tt.of.partition]
			if applied := after.offset == offset; applied != tt.want {
				t.Errorf("offset is %d, was %d", after.offset, before.offset)
			}
		})
	}
}

// A commit that was sent before its partition was released and arrives after it
// is refused: releasing takes the member to another generation.
func TestGroupRefusesCommitAfterRelease(t *testing.T) {
	g := testGroup()
	a := g.join(0, -1)
	was := a.generation
	of := mustOwn(t, g, 0, a)[0]
	b := g.join(0, -1)
	g.partitions[of.partition].target = b
	g.release(a, of.partition, of.tenure)
	if g.partitions[of.partition].owner != b {
		t.Fatal("the released partition did not go to b")
	}
	if g.commit(a, was, of.partition, of.tenure, 7, "") {
		t.Error("a late commit of a released partition was taken")
	}
	if _, _, ok := g.fetch(a, of.partition, of.tenure); ok {
		t.Error("offsets were given to one that is no longer the owner")
	}
}

func TestGroupStaticMemberIsReplaced(t *testing.T) {
	g := testGroup()
	a, b := g.join(0, 0), g.join(0, 1)
	settleGroup(t, g, 0, a, b)
	had, kept := mustOwn(t, g, 0, a), mustOwn(t, g, 0, b)
	twin := g.join(1, 0)
	if _, ok := g.heartbeat(1, a); ok {
		t.Error("the replaced member was not fenced")
	}
	if g.commit(a, a.generation, had[0].partition, had[0].tenure, 5, "") {
		t.Error("a commit of the replaced member was taken")
	}
	got := mustOwn(t, g, 1, twin)
	if len(got) != len(had) || got[0].partition != had[0].partition || got[0].tenure == had[0].tenure || got[0].asked {
		t.Errorf("the twin owns %v, want what %v was, in a new tenure", got, had)
	}
	if diff := cmp.Diff(kept, mustOwn(t, g, 1, b), cmp.AllowUnexported(owned{})); diff != "" {
		t.Errorf("b was touched:\n%s", diff)
	}
}

func TestGroupLeaveGivesAtOnce(t *testing.T) {
	g := testGroup()
	a, b := g.join(0, -1), g.join(0, -1)
	settleGroup(t, g, 0, a, b)
	g.leave(a)
	got := mustOwn(t, g, 0, b)
	if !owns(got, 0) || !owns(got, 1) {
		t.Errorf("b owns %v, want both", got)
	}
	g.leave(a) // twice is nothing
	if len(g.members) != 1 {
		t.Errorf("%d members", len(g.members))
	}
}

func TestGroupNames(t *testing.T) {
	g := testGroup()
	for metadata, want := range map[string]bool{
		"": false, "kk1 clean": false, "kk1 open": false,
		"kk1 open op1": true, "kk1 open op12": false, "kk1 open op7,op1,op3": true, "kk1 open op7,op11": false,
	} {
		g.partitions[0].metadata = metadata
		if got := g.names(0, "op1"); got != want {
			t.Errorf("%q names op1: %v, want %v", metadata, got, want)
		}
	}
}

package model

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// group is the coordinator of a consumer group as brokers have it, as far as
// the core's rules lean on it: members that live by heartbeats, partitions that
// are asked back one by one and given on once released, offsets with metadata,
// and commits that are checked by membership and generation but not by who owns
// the partition. It is passive: what a member learns, it learns from the answer
// to its next heartbeat.
type group struct {
	random     *rand.Rand
	partitions []partitionState
	members    []*member // in the order they joined
	joined     int
}

// member is one membership: a process that was expelled and joins again has
// another one.
type member struct {
	id         int
	instance   int // static members: whose place this is; -1 otherwise
	generation int // grows when a partition is given or taken
	heard      tick
}

type partitionState struct {
	owner     *member
	tenure    int // number of this ownership
	target    *member
	offset    int64 // committed; -1 none
	metadata  string
	committed int // commits accepted, ever
}

// owned is one partition in the answer to a heartbeat.
type owned struct {
	partition, tenure int
	asked             bool // it is to be given back
}

func newGroup(partitions int, random *rand.Rand) *group {
	g := &group{random: random, partitions: make([]partitionState, partitions)}
	for i := range g.partitions {
		g.partitions[i].offset = -1
	}
	return g
}

// addPartition makes one more.
func (g *group) addPartition() {
	g.partitions = append(g.partitions, partitionState{offset: -1})
	g.rebalance()
}

// join makes a new member. One with the instance id of another takes its place
// and its partitions at once; the other is fenced.
func (g *group) join(now tick, instance int) *member {
	g.joined++
	m := &member{id: g.joined, instance: instance, heard: now}
	if i := slices.IndexFunc(g.members, func(o *member) bool { return instance >= 0 && o.instance == instance }); i >= 0 {
		g.replace(i, m)
		return m
	}
	g.members = append(g.members, m)
	g.rebalance()
	return m
}

func (g *group) replace(i int, m *member) {
	old := g.members[i]
	g.members[i] = m
	for p := range g.partitions {
		s := &g.partitions[p]
		if s.target == old {
			s.target = m
		}
		if s.owner == old {
			s.owner = nil
			g.place(p)
		}
	}
}

// heartbeat answers with what the member owns; ok is false for one that is no
// longer in the group.
func (g *group) heartbeat(now tick, m *member) (list []owned, ok bool) {
	if !slices.Contains(g.members, m) {
		return nil, false
	}
	m.heard = now
	for p := range g.partitions {
		if s := &g.partitions[p]; s.owner == m {
			list = append(list, owned{p, s.tenure, s.target != m})
		}
	}
	return list, true
}

// fetch reads the committed offset for an owner.
func (g *group) fetch(m *member, partition, tenure int) (offset int64, metadata string, ok bool) {
	s := &g.partitions[partition]
	return s.offset, s.metadata, s.owner == m && s.tenure == tenure
}

// release gives a partition back.
func (g *group) release(m *member, partition, tenure int) {
	s := &g.partitions[partition]
	if s.owner != m || s.tenure != tenure {
		return
	}
	m.generation++
	s.owner = nil
	g.place(partition)
}

// leave ends a membership, by itself or because the session is over.
func (g *group) leave(m *member) {
	i := slices.Index(g.members, m)
	if i < 0 {
		return
	}
	g.members = slices.Delete(g.members, i, i+1)
	for p := range g.partitions {
		s := &g.partitions[p]
		if s.owner == m {
			s.owner = nil
		}
		if s.target == m {
			s.target = nil
		}
	}
	g.rebalance()
}

// expire ends the sessions of members that were not heard of.
func (g *group) expire(now tick) {
	for _, m := range slices.Clone(g.members) {
		if now-m.heard > session {
			g.leave(m)
		}
	}
}

// rebalance draws who is to have each partition. What its owner keeps is not
// touched; what is free is given at once; the rest is asked back.
func (g *group) rebalance() {
	if len(g.members) == 0 {
		return
	}
	turn := g.random.IntN(len(g.members))
	for p := range g.partitions {
		g.partitions[p].target = g.members[(p+turn)%len(g.members)]
		if g.partitions[p].owner == nil {
			g.place(p)
		}
	}
}

// place gives a free partition to whom it is meant for.
func (g *group) place(partition int) {
	s := &g.partitions[partition]
	if s.target == nil {
		return
	}
	s.owner = s.target
	s.owner.generation++
	s.tenure++
}

// commit applies one partition's commit, or refuses it. Like a real broker it
// takes a commit for a partition of somebody else's, from a member whose
// generation is the current one.
func (g *group) commit(m *member, generation, partition, tenure int, offset int64, metadata string) bool {
	s := &g.partitions[partition]
	owner := s.owner == m && s.tenure == tenure
	if !slices.Contains(g.members, m) || !owner && m.generation != generation {
		return false
	}
	s.offset, s.metadata = offset, metadata
	s.committed++
	return true
}

// names reports whether the metadata of a partition's commit names the
// operation.
func (g *group) names(partition int, operation string) bool {
	_, list, _ := strings.Cut(g.partitions[partition].metadata, "open ")
	for list != "" {
		var id string
		if id, list, _ = strings.Cut(list, ","); id == operation {
			return true
		}
	}
	return false
}

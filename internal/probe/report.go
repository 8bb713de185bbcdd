package probe

import (
	"fmt"
	"slices"
)

// Report is what was found out.
type Report struct {
	Message  string   `json:"message"`
	Host     string   `json:"host"`
	Requests int      `json:"requests"`
	Answers  []Answer `json:"answers"`
	// Settings is what to put into the configuration.
	Settings []Setting `json:"settings"`
	// Stopped is why not everything was asked; empty: it was.
	Stopped string `json:"stopped,omitempty"`

	// Restored says that the message was seen to be as it was.
	Restored     bool     `json:"restored"`
	Unrestored   []string `json:"unrestored,omitempty"`   // what is not, by name and kind
	RestoreError string   `json:"restoreError,omitempty"` // why that is not known
	ByHand       string   `json:"byHand,omitempty"`       // command that restores the message
	// Others is what else changed meanwhile, by Kustomer or by somebody.
	Others []string `json:"others,omitempty"`
}

// Answer is the answer to one question.
type Answer struct {
	ID       string  `json:"id"`
	Question string  `json:"question"`
	Verdict  Verdict `json:"answer"`
	Evidence string  `json:"evidence"`
	// Means is what the connector does because of it.
	Means string `json:"means,omitempty"`
	// Contrary says that the connector assumes otherwise.
	Contrary bool `json:"contradictsAssumption,omitempty"`
}

// Contrary reports whether an answer contradicts what the connector assumes.
func (r *Report) Contrary() bool {
	return slices.ContainsFunc(r.Answers, func(a Answer) bool { return a.Contrary })
}

func newReport(cfg Config, host string) *Report {
	r := &Report{Message: cfg.Message, Host: host}
	for _, q := range catalogue {
		r.Answers = append(r.Answers, Answer{ID: q.id, Question: q.text, Verdict: Unknown, Evidence: "not asked"})
	}
	return r
}

func (r *Report) find(id string) *Answer {
	return &r.Answers[slices.IndexFunc(r.Answers, func(a Answer) bool { return a.ID == id })]
}

func (r *Report) answered(id string) bool { return r.find(id).Verdict != Unknown }

// answer fills in a verdict, what it means, and what to set because of it.
func (p *prober) answer(id string, v Verdict, evidence string, args ...any) {
	a := p.report.find(id)
	a.Verdict, a.Evidence = v, fmt.Sprintf(evidence, args...)
	m := find(id).means[v]
	a.Means, a.Contrary = m.text, m.contrary
	for _, s := range m.settings {
		p.set(s.Key, s.Value, s.Why)
	}
}

// unknown says why a question has no answer.
func (p *prober) unknown(id, why string) { p.report.find(id).Evidence = why }

// has reports whether a question has one of these answers.
func (p *prober) has(id string, verdicts ...Verdict) bool {
	return slices.Contains(verdicts, p.report.find(id).Verdict)
}

// set notes a setting. The first one for a key stays.
func (p *prober) set(key, value, why string) {
	if slices.ContainsFunc(p.report.Settings, func(s Setting) bool { return s.Key == key }) {
		return
	}
	p.report.Settings = append(p.report.Settings, Setting{key, value, why})
}

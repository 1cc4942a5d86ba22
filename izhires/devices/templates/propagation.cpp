{# Delivers spikes after their delays. Synapses that follow each other and have one source and one delay are a run; a spike puts its runs, not their
   synapses, into the ring of the steps to come. Axonal delays make one run a cell; other delays make more of them, down to one a synapse.
   The order of delivery is that of Brian2's queue: by step of the spike, then cell, then number of the synapse. #}
{# USES_VARIABLES { _n_sources, delay, _source_dt, _synaptic_pre } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
#if defined(__clang__)
#define UNROLLED _Pragma("unroll 4")
#else
#define UNROLLED _Pragma("GCC unroll 4")
#endif
    {% set _eventspace = get_array_name(eventspace_variable) %}
    {% set _partners = get_array_name(_other) %}
    struct _Run { int start, stop, steps; };
    static std::vector<_Run> _runs;
    static std::vector<int> _first;
    static std::vector<std::vector<int>> _ring;
    static size_t _now = 0;
    // where no two synapses follow each other: synapse and cell on its other side, in the order of the runs
    struct _Single { int synapse; int32_t partner; };
    static std::vector<_Single> _singles;
    const int32_t* const _sources = {{get_array_name(pathway.synapse_sources)}};
    if (_ring.empty())
    {
        const auto& _delays = {{get_array_name(variables['delay'], access_data=False)}};
        const int _synapses = {{get_array_name(pathway.synapse_sources, access_data=False)}}.size();
        const int _cells = {{constant_or_scalar('_n_sources', variables['_n_sources'])}};
        auto _steps = [&](int s) { return (int)(_delays[_delays.size() > 1 ? s : 0]/{{_source_dt}} + 0.5); };
        std::vector<_Run> _found;
        int _longest = 0;
        for (int s = 0; s < _synapses; s++)
        {
            const int steps = _steps(s);
            if (s > 0 && _sources[s] == _sources[s - 1] && steps == _found.back().steps)
                _found.back().stop = s + 1;
            else
                _found.push_back({s, s + 1, steps});
            _longest = std::max(_longest, steps);
        }
        // by cell
        _first.assign(_cells + 1, 0);
        for (const _Run& r : _found)
            _first[_sources[r.start] + 1]++;
        for (int c = 0; c < _cells; c++)
            _first[c + 1] += _first[c];
        std::vector<int> _next(_first.begin(), _first.end() - 1);
        _runs.resize(_found.size());
        for (const _Run& r : _found)
            _runs[_next[_sources[r.start]]++] = r;
        _ring.resize(_longest + 1);
        if (_found.size() == (size_t) _synapses)
            for (const _Run& r : _runs)
                _singles.push_back({r.start, {{_partners}}[r.start]});
    }
    _now = _now + 1 < _ring.size() ? _now + 1 : 0;
    const int _spikes = {{_eventspace}}[_num{{eventspace_variable.name}} - 1];
    for (int _spike = 0; _spike < _spikes; _spike++)
    {
        const int _cell = {{_eventspace}}[_spike];
        for (int r = _first[_cell]; r < _first[_cell + 1]; r++)
        {
            size_t _due = _now + _runs[r].steps;
            _ring[_due < _ring.size() ? _due : _due - _ring.size()].push_back(r);
        }
    }
    std::vector<int>& _due = _ring[_now];
    if (!_due.empty())
    {
        // scalar code
        const size_t _vectorisation_idx = -1;
        {{scalar_code|autoindent}}

        const size_t _ahead = 16; // one synapse takes less time than memory does
        if (!_singles.empty())
            for (size_t r = 0; r < _due.size(); r++)
            {
                if (r + _ahead < _due.size())
                {
                    const int _later = _singles[_due[r + _ahead]].synapse;
                    {% for variable in _read if variable is not sameas _other %}
                    __builtin_prefetch({{get_array_name(variable)}} + _later);
                    {% endfor %}
                }
                const int _idx = _singles[_due[r]].synapse;
                const int32_t _partner = _singles[_due[r]].partner;
                const size_t _vectorisation_idx = _idx;
                {{(vector_code if vector_code is string else vector_code|join("\n"))|replace(_partners + "[_idx]", "_partner")|autoindent}}
            }
        else for (size_t r = 0; r < _due.size(); r++)
        {
            const _Run _run = _runs[_due[r]];
            if (r + 1 < _due.size())
            {
                // the next run's numbers are on their way while this one is delivered
                const _Run _next = _runs[_due[r + 1]];
                {% for variable in _read %}
                for (int _idx = _next.start; _idx < _next.stop; _idx += 64/sizeof({{c_data_type(variable.dtype)}}))
                    __builtin_prefetch({{get_array_name(variable)}} + _idx);
                {% endfor %}
            }
            UNROLLED
            for (int _idx = _run.start; _idx < _run.stop; _idx++)
            {
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
            }
        }
        _due.clear();
    }
{% endblock %}

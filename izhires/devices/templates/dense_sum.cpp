{# A summed variable over synapses that connect every cell to every channel, ordered channel by channel: synapse k*cells + i.

   The index tables of such a matrix are known, so the loops run over contiguous memory, which the compiler turns into vector code. `_inner`
   says which side the inner loop runs over: "pre" when cells project to channels, "post" when channels project to cells. #}
{# USES_VARIABLES { N, _synaptic_pre } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% set _target_array = get_array_name(_target_var) %}
    {% set _pre_array = get_array_name(variables['_synaptic_pre']) %}
    const int _target_size = {{constant_or_scalar(_target_size_name, variables[_target_size_name])}};
    const int _others = {{N}}/_target_size;
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

{% if _inner == "pre" %}
    const int LANES = 16;
    for (int _target = 0; _target < _target_size; _target++)
    {
        const int _start = _target*_others;
        // takes the place of the table of presynaptic cells
        const struct { int start; int operator[](int idx) const { return idx - start; } } {{_pre_array}} = {_start};
        double _part[LANES] = {0};
        int _cell = 0;
        for (; _cell + LANES <= _others; _cell += LANES)
            for (int _lane = 0; _lane < LANES; _lane++)
            {
                const int _idx = _start + _cell + _lane;
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _part[_lane] += _synaptic_var;
            }
        double _total = 0;
        for (; _cell < _others; _cell++)
        {
            const int _idx = _start + _cell;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _total += _synaptic_var;
        }
        for (int _lane = 0; _lane < LANES; _lane++)
            _total += _part[_lane];
        {{_target_array}}[_target + {{_target_start}}] = _total;
    }
{% else %}
    double* __restrict _target_values = {{_target_array}} + {{_target_start}};
    for (int _target = 0; _target < _target_size; _target++)
        _target_values[_target] = 0;
    for (int _source = 0; _source < _others; _source++)
    {
        const struct { int source; int operator[](int) const { return source; } } {{_pre_array}} = {_source};
        for (int _target = 0; _target < _target_size; _target++)
        {
            const int _idx = _source*_target_size + _target;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _target_values[_target] += _synaptic_var;
        }
    }
{% endif %}
{% endblock %}

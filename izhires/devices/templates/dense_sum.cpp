{# A summed variable over synapses that connect every channel with all cells of its network, channel by channel.

   In each row (one channel) the cells follow each other, so the loops run over contiguous memory, which the compiler turns into vector code.
   `_inner` says which side the cells are: "pre" when cells project to channels, "post" when channels project to cells; `_rows` is the number of
   channels. #}
{# USES_VARIABLES { N, _synaptic_pre } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% set _pre_array = get_array_name(variables['_synaptic_pre']) %}
    {% set _post_array = get_array_name(_index_var) %}
    const int _target_size = {{constant_or_scalar(_target_size_name, variables[_target_size_name])}};
    const int _length = {{N}}/{{_rows}};
    const int32_t* const _sources = {{_pre_array}};
    double* __restrict _target_values = {{get_array_name(_target_var)}} + {{_target_start}};
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

{% if _inner == "pre" %}
    const int LANES = 16;
    for (int _row = 0; _row < {{_rows}}; _row++)
    {
        const int _start = _row*_length;
        // takes the place of the table of presynaptic cells
        const struct { int shift; int operator[](int idx) const { return idx + shift; } } {{_pre_array}} = {_sources[_start] - _start};
        double _part[LANES] = {0};
        int _cell = 0;
        for (; _cell + LANES <= _length; _cell += LANES)
            for (int _lane = 0; _lane < LANES; _lane++)
            {
                const int _idx = _start + _cell + _lane;
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _part[_lane] += _synaptic_var;
            }
        double _total = 0;
        for (; _cell < _length; _cell++)
        {
            const int _idx = _start + _cell;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _total += _synaptic_var;
        }
        for (int _lane = 0; _lane < LANES; _lane++)
            _total += _part[_lane];
        _target_values[_row] = _total;
    }
{% else %}
    for (int _target = 0; _target < _target_size; _target++)
        _target_values[_target] = 0;
    for (int _row = 0; _row < {{_rows}}; _row++)
    {
        const int _start = _row*_length;
        const struct { int source; int operator[](int) const { return source; } } {{_pre_array}} = {_sources[_start]};
        double* __restrict _row_values = _target_values + {{_post_array}}[_start] - {{_target_start}};
        for (int _cell = 0; _cell < _length; _cell++)
        {
            const int _idx = _start + _cell;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
            _row_values[_cell] += _synaptic_var;
        }
    }
{% endif %}
{% endblock %}

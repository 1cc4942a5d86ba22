{# What happens to all weights of a channel that has an event. Each channel is connected with all cells of its network, cell after cell, so the
   loop runs over contiguous memory, which the compiler turns into vector code. #}
{# USES_VARIABLES { N, _synaptic_pre, _synaptic_post } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% set _eventspace = get_array_name(eventspace_variable) %}
    {% set _pre_array = get_array_name(variables['_synaptic_pre']) %}
    {% set _post_array = get_array_name(variables['_synaptic_post']) %}
    const int _events = {{_eventspace}}[_num{{eventspace_variable.name}} - 1];
    if (_events > 0)
    {
        const int _length = {{N}}/{{_rows}};
        const int32_t* const _cells = {{_pre_array}};
        // scalar code
        const size_t _vectorisation_idx = -1;
        {{scalar_code|autoindent}}

        for (int _event = 0; _event < _events; _event++)
        {
            const int _channel = {{_eventspace}}[_event];
            const int _start = _channel*_length;
            // take the place of the tables of cells and channels
            const struct { int shift; int operator[](int idx) const { return idx + shift; } } {{_pre_array}} = {_cells[_start] - _start};
            const struct { int channel; int operator[](int) const { return channel; } } {{_post_array}} = {_channel};
            for (int _idx = _start; _idx < _start + _length; _idx++)
            {
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
            }
        }
    }
{% endblock %}

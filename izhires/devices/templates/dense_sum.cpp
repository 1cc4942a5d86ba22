{# A summed variable over synapses that connect every channel with all cells of its network, channel by channel.

   In each row (one channel) the cells follow each other, so the loops run over contiguous memory, which the compiler turns into vector code.
   `_inner` says which side the cells are: "pre" when cells project to channels, "post" when channels project to cells; `_rows` is the number of
   channels. #}
{# USES_VARIABLES { N, _synaptic_pre } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {% set _pre_array = get_array_name(variables['_synaptic_pre']) %}
    {% set _post_array = get_array_name(_index_var) %}
    {% set _real = c_data_type(_target_var.dtype) %}
    const int _target_size = {{constant_or_scalar(_target_size_name, variables[_target_size_name])}};
    const int _length = {{N}}/{{_rows}};
    const int32_t* const _sources = {{_pre_array}};
    {{_real}}* __restrict _target_values = {{get_array_name(_target_var)}} + {{_target_start}};
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

{% if _inner == "pre" %}
{# several channels at a time, so that each cell's state is read once for all of them #}
{% macro read(count) %}
        // take the place of the table of presynaptic cells
        {% for which in range(count) %}
        const int _start_{{which}} = (_row + {{which}})*_length;
        const struct { int shift; int operator[](int idx) const { return idx + shift; } } _source_{{which}} = {_sources[_start_{{which}}] - _start_{{which}}};
        {{_real}} _part_{{which}}[_LANES] = {0};
        {% endfor %}
        int _cell = 0;
        for (; _cell + _LANES <= _length; _cell += _LANES)
            for (int _lane = 0; _lane < _LANES; _lane++)
            {
                {% for which in range(count) %}
                {
                    const auto& {{_pre_array}} = _source_{{which}};
                    const int _idx = _start_{{which}} + _cell + _lane;
                    const size_t _vectorisation_idx = _idx;
                    {{vector_code|autoindent}}
                    _part_{{which}}[_lane] += _synaptic_var;
                }
                {% endfor %}
            }
        {% for which in range(count) %}
        {
            const auto& {{_pre_array}} = _source_{{which}};
            {{_real}} _total = 0;
            for (int _rest = _cell; _rest < _length; _rest++)
            {
                const int _idx = _start_{{which}} + _rest;
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _total += _synaptic_var;
            }
            for (int _lane = 0; _lane < _LANES; _lane++)
                _total += _part_{{which}}[_lane];
            _target_values[_row + {{which}}] = _total;
        }
        {% endfor %}
        _row += {{count}};
{% endmacro %}
    const int _LANES = 16;
    int _row = 0;
    {% if _rows >= 4 %}
    while (_row + 4 <= {{_rows}})
    {
{{ read(4) }}
    }
    {% endif %}
    {% if _rows % 4 %}
    {
{{ read(_rows % 4) }}
    }
    {% endif %}
{% else %}
{# several channels at a time, so that each cell's sum is read and written once for all of them #}
{% macro add(count, assign) %}
        {% for which in range(count) %}
        const struct { int source; int operator[](int) const { return source; } } _source_{{which}} = {_sources[(_row + {{which}})*_length]};
        {% endfor %}
        for (int _cell = 0; _cell < _length; _cell++)
        {
            {{_real}} _total = {{'0' if assign else '_row_values[_cell]'}};
            {% for which in range(count) %}
            {
                const auto& {{_pre_array}} = _source_{{which}};
                const int _idx = (_row + {{which}})*_length + _cell;
                const size_t _vectorisation_idx = _idx;
                {{vector_code|autoindent}}
                _total += _synaptic_var;
            }
            {% endfor %}
            _row_values[_cell] = _total;
        }
        _row += {{count}};
{% endmacro %}
    for (int _row = 0; _row < {{_rows}};)
    {
        const int _end = _row + {{_together}};
        {{_real}}* __restrict _row_values = _target_values + {{_post_array}}[_row*_length] - {{_target_start}};
        {
{{ add([_together, 4]|min, True) }}
        }
        {% if _together > 4 %}
        while (_row + 4 <= _end)
        {
{{ add(4, False) }}
        }
        {% endif %}
        {% if _together > 4 and _together % 4 %}
        {
{{ add(_together % 4, False) }}
        }
        {% endif %}
    }
{% endif %}
{% endblock %}

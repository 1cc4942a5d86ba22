{# Writes what was recorded so far to files beside Brian2's own, and forgets it, whenever it has become long; so a long run takes no more memory than
   a short one. Called once more after the run, it writes the rest of what it has begun.

   `_monitors`: of each, how long its recording may become, the array of its times, all its arrays of one value a time, and those of several, each
   with the name of its file. #}
{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    const bool ended = !Network::_globally_running;
    static bool begun[{{_monitors|length}}], called = false;
    if (!called)  // an earlier run in the same folder may have left some
    {
        {% for longest, times, values, tables in _monitors %}
        {% for array, name in values + tables %}
        std::remove((results_dir + "{{name}}").c_str());
        {% endfor %}
        {% endfor %}
        called = true;
    }
    auto file = [](const std::string& name)
    {
        std::ofstream opened(results_dir + name, std::ios::binary | std::ios::app);
        opened.exceptions(std::ios::badbit | std::ios::failbit);
        return opened;
    };
    {% for longest, times, values, tables in _monitors %}
    if ({{times}}.size() >= {{longest}} || (ended && begun[{{loop.index0}}]))
    {
        begun[{{loop.index0}}] = true;
        {% for array, name in values %}
        file("{{name}}").write((const char*) {{array}}.data(), {{array}}.size()*sizeof({{array}}[0]));
        {{array}}.clear();
        {% endfor %}
        {% for array, name in tables %}
        {
            auto opened = file("{{name}}");
            for (int row = 0; row < {{array}}.n; row++)
                opened.write((const char*) {{array}}(row).data(), {{array}}.m*sizeof({{array}}(row, 0)));
            {{array}}.resize((size_t) 0, (size_t) {{array}}.m);
        }
        {% endfor %}
    }
    {% endfor %}
{% endblock %}

{# Says how far the run is, and how many spikes there were. Brian2's own report reads the clock of the system before every object of every step. #}
{# USES_VARIABLES { t } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    std::cout << "progress " << {{get_array_name(variables['t'])}}[0] << " " << _dynamic_array_spikes_i.size() << std::endl;
{% endblock %}

using Mesh.Core.Config;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference.Filters;

/// <summary>Headers as the filters of a route want them. Headers that belong to the connection or the gateway are out of their reach.</summary>
internal static class HeaderEditing
{
    /// <summary>What a model server gets of a client's headers, edited by the rule, then by the backendRef.</summary>
    public static HeaderDictionary Forwarded(IHeaderDictionary client, HeaderEdits? rule, HeaderEdits? backend)
    {
        var headers = new HeaderDictionary(client.Count);
        var connection = client.Connection;
        foreach (var (name, values) in client)
        {
            if (HeaderRules.IsForwarded(name, connection)) headers[name] = values;
        }

        if (rule is not null) Apply(headers, rule);
        if (backend is not null) Apply(headers, backend);
        return headers;
    }

    /// <summary>Set replaces, add appends, remove drops.</summary>
    public static void Apply(IHeaderDictionary headers, HeaderEdits edits)
    {
        foreach (var (name, value) in edits.Set)
        {
            if (HeaderRules.IsEditable(name)) headers[name] = value;
        }

        foreach (var (name, value) in edits.Add)
        {
            if (HeaderRules.IsEditable(name)) headers.Append(name, value);
        }

        foreach (var name in edits.Remove)
        {
            if (HeaderRules.IsEditable(name)) headers.Remove(name);
        }
    }
}

using Mesh.Core.HttpRouting;

namespace Mesh.Gateway.Inference;

/// <summary>A request as the route tables see it.</summary>
internal readonly struct HttpRequestHead(HttpRequest request, string? model) : IRequestHead
{
    public string Method => request.Method;

    public string Host => request.Host.Value ?? "";

    public string Path => request.Path.Value ?? "";

    public string? GetHeader(string name)
    {
        if (name.Equals(PseudoHeaders.ModelName, StringComparison.OrdinalIgnoreCase)) return model;
        return request.Headers.TryGetValue(name, out var values) ? values.ToString() : null;
    }

    public string? GetQuery(string name) => request.Query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;
}

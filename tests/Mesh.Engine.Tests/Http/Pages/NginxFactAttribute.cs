namespace Mesh.Engine.Tests.Http.Pages;

/// <summary>A test against nginx; skipped, with what to install, where that is missing.</summary>
public sealed class NginxFactAttribute : FactAttribute
{
    internal const string Nginx = "/usr/sbin/nginx";

    public NginxFactAttribute()
    {
        if (!File.Exists(Nginx)) Skip = "needs nginx as a server: apt-get install nginx-light";
    }
}

using Microsoft.Extensions.Options;

namespace Mesh.Gateway.Hosting;

/// <summary>Checks the ranges that stand on the options.</summary>
[OptionsValidator]
internal sealed partial class GatewayOptionsValidator : IValidateOptions<GatewayOptions>;
